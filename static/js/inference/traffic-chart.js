// Pictures over time, by how it went: stacked bars, the most usual at the bottom.
import uPlot from "../../vendor/uplot/uplot.js";
import { component } from "../component.js";
import { stack } from "../counts-options.js";
import { stackedOptions } from "../stacked-options.js";
import { IN_WORDS, TimeChart } from "../time-chart.js";

const COLOURS = {
  answered: "var(--series-1)", refused: "var(--series-5)", late: "var(--series-2)", failed: "var(--series-7)", bad: "var(--idle-dot)",
};
const WORDS = { answered: "answered", refused: "refused", late: "late", failed: "failed", bad: "no picture" };

class TrafficChart extends TimeChart {
  constructor(root) {
    super(root, root.dataset.trafficChart, { span: "24h" });
  }

  render() {
    const { times, series, step_s: step } = this.figures;
    // The first is drawn first and whole, those after it over its foot: so the usual one stays on top.
    const data = [times, ...stack(series.map(({ values }) => values))];
    const rows = series.map(({ label, values }) => ({ words: WORDS[label], colour: COLOURS[label], values }));
    this.plot = new uPlot(stackedOptions({ box: this.box, times, rows, step, span: this.choice.span }), data, this.box);
    const total = series.reduce((sum, each) => sum + each.total, 0);
    if (!total) this.sayEmpty(`No picture came in ${IN_WORDS[this.choice.span]}`);
    const words = series.map((each) => `${WORDS[each.label]} ${each.total}`).join(", ");
    this.box.setAttribute("aria-label", `Pictures in ${IN_WORDS[this.choice.span]}: ${words}`);
    this.root.querySelector("[data-legend]").replaceChildren(...series.map(keyOf));
  }
}

function keyOf({ label, total }) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "traffic__swatch";
  swatch.style.background = COLOURS[label];
  item.append(swatch, `${WORDS[label]} ${total.toLocaleString("en")}`);
  return item;
}

component("[data-traffic-chart]", (root) => {
  const chart = new TrafficChart(root);
  return () => chart.leave();
});
