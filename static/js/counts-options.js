// How the counts look: axes, bars or steps, the shade where nobody watched, the tooltip.
import uPlot from "../vendor/uplot/uplot.js";
import { labelVariable, resolved } from "./colours.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

// Each row on top of those after it, so that the first (the most seen) is drawn first and whole.
export function stack(rows) {
  const sums = rows.map((row) => [...row]);
  for (let i = sums.length - 2; i >= 0; i -= 1) {
    sums[i] = sums[i].map((value, at) => (value === null ? null : value + (sums[i + 1][at] ?? 0)));
  }
  return sums;
}

export function chartOptions({ box, shown, isStacked, watched, step, span }) {
  const colour = (name) => resolved(name, box);
  const font = `12px ${getComputedStyle(box).fontFamily}`;
  const grid = { stroke: colour("var(--border)"), width: 1 };
  const axis = { stroke: colour("var(--text-3)"), font, grid, ticks: { show: false } };
  const paths = isStacked ? uPlot.paths.bars({ size: [0.78, 36], radius: 0.08 }) : uPlot.paths.stepped({ align: 1 });
  return {
    width: box.clientWidth - 24,
    height: box.clientHeight - 12,
    legend: { show: false },
    padding: [8, 8, 0, 0],
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
    plugins: [unwatched(watched, step, colour("var(--sunken)")), tooltip(box, shown, step, span)],
  };
}

function tickWords(seconds, span) {
  const instant = new Date(seconds * 1000);
  const isMidnight = instant.getHours() === 0 && instant.getMinutes() === 0;
  return span === "7d" || isMidnight ? day.format(instant) : clock.format(instant);
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

function tooltip(box, shown, step, span) {
  const tip = document.createElement("div");
  tip.className = "chart__tip";
  tip.hidden = true;
  const setCursor = (plot) => {
    const { idx, left } = plot.cursor;
    tip.hidden = idx === null || idx === undefined || left < 0 || !shown.length;
    if (tip.hidden) return;
    tip.replaceChildren(...tipContent(plot.data[0][idx], idx, shown, step, span));
    const at = plot.over.offsetLeft + plot.valToPos(plot.data[0][idx], "x");
    const isRight = at > box.clientWidth / 2;
    tip.style.transform = `translate(${Math.round(isRight ? at - tip.offsetWidth - 4 : at + 28)}px, 16px)`;
  };
  const init = () => box.append(tip);
  return { hooks: { init, setCursor } };
}

function tipContent(time, index, shown, step, span) {
  const head = document.createElement("time");
  const from = new Date(time * 1000), to = new Date((time + step) * 1000);
  const hours = step > 60 ? `${clock.format(from)} – ${clock.format(to)}` : clock.format(from);
  head.textContent = span === "7d" ? `${day.format(from)}, ${hours}` : hours;
  const list = document.createElement("ul");
  list.className = "chart__rows";
  for (const { label, values } of shown) {
    const row = document.createElement("li");
    const swatch = document.createElement("span");
    const number = document.createElement("b");
    swatch.className = "chip__swatch";
    swatch.style.background = labelVariable(label);
    number.textContent = values[index] === null ? "not watched" : values[index].toLocaleString("en");
    row.append(swatch, label, number);
    list.append(row);
  }
  return [head, list];
}
