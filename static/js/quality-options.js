// How a feature's band looks: axes, median and band, the times of trouble, the tooltip.
import uPlot from "../vendor/uplot/uplot.js";
import { resolved } from "./colours.js";
import { bucketWords, inner, tickWords, tipHead, tipRow, tooltip } from "./time-chart.js";

const percent = (value) => `${(value * 100).toLocaleString("en", { maximumFractionDigits: value < 0.1 ? 1 : 0 })} %`;
const plain = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
export const FORMS = { brightness: percent, contrast: percent, sharpness: plain, noise: plain, motion: percent };
// So high an axis is at least: a flat line is no mountain.
const LEAST_TOP = { brightness: 0.2, contrast: 0.1, sharpness: 30, noise: 5, motion: 0.02 };
const HEADROOM = 1.15;

export function bandOptions({ box, figures, feature, span }) {
  const colour = (name) => resolved(name, box);
  const form = FORMS[feature];
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const grid = { stroke: colour("var(--border)"), width: 1 };
  const axis = { stroke: colour("var(--text-3)"), font, grid, ticks: { show: false } };
  const line = colour("var(--series-1)");
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const { step_s: step } = figures;
  return {
    ...inner(box),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: (plot, series) => series === 2, size: 7 } },
    scales: {
      x: { time: true, range: (_plot, least, most) => [least - step / 2, most + step / 2] },
      y: { range: (_plot, _least, most) => [0, Math.max(LEAST_TOP[feature], (most ?? 0) * HEADROOM)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 64, size: 30, values: (_plot, ticks) => ticks.map((tick) => tickWords(tick, span)) },
      { ...axis, size: 46, space: 36, values: (_plot, ticks) => ticks.map(form) },
    ],
    bands: [{ series: [1, 3], fill: colour("color-mix(in srgb, var(--series-1) 22%, transparent)") }],
    series: [{}, edge, { stroke: line, width: 2, points: { size: 4, fill: line } }, edge],
    plugins: [
      trouble(figures, colour("var(--warn-soft)"), colour("var(--warn-dot)")),
      tooltip(box, (index) => tipContent(index, figures, form, span)),
    ],
  };
}

const BAR = 3, LEAST_WIDTH = 3;

function trouble({ marks, times, step_s: step }, ground, bar) {
  const drawClear = (plot) => {
    const { ctx, bbox } = plot;
    const last = times.at(-1) + step / 2;
    ctx.save();
    for (const { begins, ends } of marks) {
      const left = Math.max(plot.valToPos(begins, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(Math.min(ends ?? last, last), "x", true), bbox.left + bbox.width);
      const width = Math.max(right - left, LEAST_WIDTH * uPlot.pxRatio);
      ctx.fillStyle = ground;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = bar;
      ctx.fillRect(left, bbox.top, width, BAR * uPlot.pxRatio);
    }
    ctx.restore();
  };
  return { hooks: { drawClear } };
}

function tipContent(index, { times, step_s: step, p10, p50, p90, n_frames: frames, marks }, form, span) {
  const from = times[index], to = from + step;
  const happened = marks.filter(({ begins, ends }) => begins < to && (ends ?? Infinity) >= from);
  const list = document.createElement("ul");
  list.className = "chart__rows";
  if (p50[index] === null) {
    list.append(tipRow("Not measured", ""));
  } else {
    list.append(
      tipRow("Median", form(p50[index]), "var(--series-1)"),
      tipRow("Four of five", `${form(p10[index])} – ${form(p90[index])}`, "color-mix(in srgb, var(--series-1) 30%, transparent)"),
      tipRow("Frames measured", frames[index].toLocaleString("en")),
    );
  }
  list.append(...happened.map(({ title }) => tipRow(title, "", "var(--warn-dot)")));
  return [tipHead(bucketWords(from, step, span)), list];
}
