// Pictures over time, by how it went: stacked bars, the most usual at the bottom.
import uPlot from "../../vendor/uplot/uplot.js";
import { resolved } from "../colours.js";
import { component } from "../component.js";
import { stack } from "../counts-options.js";
import { IN_WORDS, TimeChart, bucketWords, inner, tickWords, tipHead, tipRow, tooltip } from "../time-chart.js";

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
    this.plot = new uPlot(options(this.box, this.figures, step, this.choice.span), data, this.box);
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

function options(box, { times, series }, step, span) {
  const colour = (name) => resolved(name, box);
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const grid = { stroke: colour("var(--border)"), width: 1 };
  const axis = { stroke: colour("var(--text-3)"), font, grid, ticks: { show: false } };
  const paths = uPlot.paths.bars({ size: [0.78, 36], radius: 0.08 });
  const tip = (index) => {
    const list = document.createElement("ul");
    list.className = "chart__rows";
    list.append(...series.map(({ label, values }) => tipRow(WORDS[label], values[index].toLocaleString("en"), COLOURS[label])));
    return [tipHead(bucketWords(times[index], step, span)), list];
  };
  return {
    ...inner(box),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: true, range: (_plot, least, most) => [least - step / 2, most + step / 2] },
      y: { range: (_plot, _least, most) => [0, Math.max(4, Math.ceil((most ?? 0) * 1.12))] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 64, size: 30, values: (_plot, ticks) => ticks.map((tick) => tickWords(tick, span)) },
      { ...axis, size: 52, space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000, 1000000], values: (_plot, ticks) => ticks.map((tick) => tick.toLocaleString("en")) },
    ],
    series: [{}, ...series.map(({ label }) => ({ label, paths, width: 0, fill: colour(COLOURS[label]), points: { show: false } }))],
    plugins: [tooltip(box, tip)],
  };
}

component("[data-traffic-chart]", (root) => {
  const chart = new TrafficChart(root);
  return () => chart.leave();
});
