// How the counts look: axes, bars or steps, the shade where nobody watched, the tooltip.
import uPlot from "../vendor/uplot/uplot.js";
import { labelVariable, resolved } from "./colours.js";
import { bucketWords, inner, tickWords, tipHead, tipRow, tooltip } from "./time-chart.js";

// Each row on top of those after it, so that the first (the most seen) is drawn first and whole.
export function stack(rows) {
  const sums = rows.map((row) => [...row]);
  for (let i = sums.length - 2; i >= 0; i -= 1) {
    sums[i] = sums[i].map((value, at) => (value === null ? null : value + (sums[i + 1][at] ?? 0)));
  }
  return sums;
}

export function chartOptions({ box, times, shown, isStacked, watched, step, span }) {
  const colour = (name) => resolved(name, box);
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const grid = { stroke: colour("var(--border)"), width: 1 };
  const axis = { stroke: colour("var(--text-3)"), font, grid, ticks: { show: false } };
  const paths = isStacked ? uPlot.paths.bars({ size: [0.78, 36], radius: 0.08 }) : uPlot.paths.stepped({ align: 1 });
  return {
    ...inner(box),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !isStacked, size: 7 } },
    scales: {
      x: { time: true, range: (_plot, least, most) => [least - step / 2, most + step / 2] },
      y: { range: (_plot, _least, most) => [0, Math.max(4, Math.ceil((most ?? 0) * 1.12))] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 64, size: 30, values: (_plot, ticks) => ticks.map((tick) => tickWords(tick, span)) },
      { ...axis, size: 42, space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], values: (_plot, ticks) => ticks.map((tick) => tick.toLocaleString("en")) },
    ],
    series: [{}, ...shown.map(({ label }) => {
      const stroke = colour(labelVariable(label));
      return { label, paths, stroke: isStacked ? undefined : stroke, width: isStacked ? 0 : 2, fill: isStacked ? stroke : undefined, points: { show: false }, spanGaps: false };
    })],
    plugins: [unwatched(watched, step, colour("var(--sunken)")), tooltip(box, (index) => tipContent(index, times, shown, step, span))],
  };
}

function unwatched(values, step, colour) {
  const drawClear = (plot) => {
    if (!values) return;
    const first = values.findIndex((value) => value !== null); // before it there was no camera
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = colour;
    plot.data[0].forEach((time, i) => {
      if (values[i] !== null || first < 0 || i < first || i === values.length - 1) return; // the last bucket is still being filled
      const left = plot.valToPos(time - step / 2, "x", true), right = plot.valToPos(time + step / 2, "x", true);
      ctx.fillRect(left, bbox.top, right - left + 1, bbox.height);
    });
    ctx.restore();
  };
  return { hooks: { drawClear } };
}

function tipContent(index, times, shown, step, span) {
  if (!shown.length) return [];
  const list = document.createElement("ul");
  list.className = "chart__rows";
  list.append(...shown.map(({ label, values }) => {
    const words = values[index] === null ? "not watched" : values[index].toLocaleString("en");
    return tipRow(label, words, labelVariable(label));
  }));
  return [tipHead(bucketWords(times[index], step, span)), list];
}
