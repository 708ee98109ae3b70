// Where a camera's frames were judged over time: here, in the cloud, or nowhere.
import uPlot from "../vendor/uplot/uplot.js";
import { component } from "./component.js";
import { stack } from "./counts-options.js";
import { stackedOptions } from "./stacked-options.js";
import { IN_WORDS, TimeChart } from "./time-chart.js";

const COLOURS = { here: "var(--series-1)", cloud: "var(--series-3)", refused: "var(--series-5)", late: "var(--series-2)" };
const WORDS = { here: "here", cloud: "in the cloud", refused: "refused", late: "late" };
const MB = 1e6;

class OverflowChart extends TimeChart {
  constructor(root) {
    super(root, root.dataset.overflowChart, { span: "24h" });
  }

  render() {
    const { times, series, step_s: step, n_bytes: bytes, micros } = this.figures;
    const rows = series.map(({ label, values }) => ({ words: WORDS[label], colour: COLOURS[label], values }));
    const also = (index) => {
      const told = [["sent", `${(bytes[index] / MB).toLocaleString("en", { maximumFractionDigits: 1 })} MB`]];
      if (micros[index]) told.push(["cost", (micros[index] / MB).toLocaleString("en", { maximumFractionDigits: 4 })]);
      return told;
    };
    const options = stackedOptions({ box: this.box, times, rows, step, span: this.choice.span, also });
    this.plot = new uPlot(options, [times, ...stack(rows.map(({ values }) => values))], this.box);
    if (!series.some(({ total }) => total)) this.sayEmpty(`Nothing judged in ${IN_WORDS[this.choice.span]}`);
    const words = series.map(({ label, total }) => `${WORDS[label]} ${total}`).join(", ");
    this.box.setAttribute("aria-label", `Frames judged in ${IN_WORDS[this.choice.span]}: ${words}`);
    this.root.querySelector("[data-key]").replaceChildren(...series.map(keyOf));
  }
}

function keyOf({ label, total }) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "overflow-swatch";
  swatch.style.background = COLOURS[label];
  item.append(swatch, `${WORDS[label]} ${total.toLocaleString("en")}`);
  return item;
}

component("[data-overflow-chart]", (root) => {
  const chart = new OverflowChart(root);
  return () => chart.leave();
});
