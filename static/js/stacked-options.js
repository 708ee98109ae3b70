// How stacked bars over time look: axes, bars, the tooltip. Each row has `words`, `colour`, `values`.
import uPlot from "../vendor/uplot/uplot.js";
import { resolved } from "./colours.js";
import { bucketWords, inner, tickWords, tipHead, tipRow, tooltip } from "./time-chart.js";

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000];
const short = new Intl.NumberFormat("en", { notation: "compact" });

// `also(index)` are further [words, value] pairs for the tip.
export function stackedOptions({ box, times, rows, step, span, also = () => [] }) {
  const colour = (name) => resolved(name, box);
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const grid = { stroke: colour("var(--border)"), width: 1 };
  const axis = { stroke: colour("var(--text-3)"), font, grid, ticks: { show: false } };
  const paths = uPlot.paths.bars({ size: [0.78, 36], radius: 0.08 });
  const tip = (index) => {
    const list = document.createElement("ul");
    list.className = "chart__rows";
    list.append(
      ...rows.map(({ words, values, colour: swatch }) => tipRow(words, values[index].toLocaleString("en"), swatch)),
      ...also(index).map(([words, value]) => tipRow(words, value)),
    );
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
      { ...axis, size: 46, space: 36, incrs: STEPS, values: (_plot, ticks) => ticks.map((tick) => short.format(tick)) },
    ],
    series: [{}, ...rows.map(({ words, colour: fill }) => ({ label: words, paths, width: 0, fill: colour(fill), points: { show: false } }))],
    plugins: [tooltip(box, tip)],
  };
}
