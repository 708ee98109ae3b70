// Labelers' days as small lines with a tip, and the dialog that takes somebody's work back.
import uPlot from "../../vendor/uplot/uplot.js";
import { resolved } from "../colours.js";
import { component } from "../component.js";
import { bucketWords, DAY_S, tipHead, tipRow, tooltip } from "../time-chart.js";
import { plural } from "./words.js";

const percent = (share) => `${Math.round(100 * share)} %`;
const MEASURES = {
  speed: { name: "Pictures an hour", form: (value) => value.toFixed(0), of: "Decided", colour: "var(--series-1)" },
  agreement: { name: "Like others", form: percent, of: "Compared", colour: "var(--series-6)", top: 1 },
  gold: { name: "Known pictures right", form: percent, of: "Known", colour: "var(--series-3)", top: 1 },
  first: { name: "Accepted at first", form: percent, of: "Checked", colour: "var(--series-5)", top: 1 },
};
const HEADROOM = 1.1;

class Spark {
  #box; #times; #figures; #measure; #plot = null; #resize;

  constructor(box, times, figures) {
    this.#box = box;
    this.#times = times;
    this.#figures = figures;
    this.#measure = MEASURES[box.dataset.spark];
    this.#resize = new ResizeObserver(() => this.#plot?.setSize(this.#size));
    this.#resize.observe(box);
    this.draw();
  }

  leave() {
    this.#resize.disconnect();
    this.#plot?.destroy();
  }

  draw() {
    const box = this.#box, { name, form, of, colour, top } = this.#measure;
    const { values, of: counts } = this.#figures;
    this.#plot?.destroy();
    box.replaceChildren();
    const line = resolved(colour, box);
    const tip = (index) => {
      const at = nearest(values, index);
      const list = document.createElement("ul");
      list.append(tipRow(name, form(values[at])), tipRow(of, counts[at].toLocaleString("en")));
      return [tipHead(bucketWords(this.#times[at], DAY_S, "30d")), list];
    };
    this.#plot = new uPlot({
      ...this.#size,
      legend: { show: false },
      padding: [5, 5, 5, 5],
      axes: [{ show: false }, { show: false }],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 }, dataIdx: (_plot, _series, index) => nearest(values, index) },
      scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, top ?? Math.max(1, (most ?? 0) * HEADROOM)] } },
      series: [{}, { stroke: line, width: 2, spanGaps: true, fill: resolved(`color-mix(in srgb, ${colour} 12%, transparent)`, box), points: { show: true, size: 4, fill: line } }],
      plugins: [tooltip(box, tip)],
    }, [this.#times, values], box);
    this.#describe(values.filter((value) => value !== null), form, name);
  }

  #describe(known, form, name) {
    this.#box.setAttribute("role", "img");
    const words = known.length ? `${form(Math.min(...known))} to ${form(Math.max(...known))} on ${plural(known.length, "day")}` : "nothing measured";
    this.#box.setAttribute("aria-label", `${name}, day by day: ${words}`);
  }

  get #size() {
    return { width: this.#box.clientWidth, height: this.#box.clientHeight };
  }
}

// The day with a value that is nearest to another one.
function nearest(values, index) {
  for (let apart = 0; apart < values.length; apart += 1) {
    for (const at of [index - apart, index + apart]) if ((values[at] ?? null) !== null) return at;
  }
  return index;
}

component("[data-sparks]", (root) => {
  const { times, ...figures } = JSON.parse(document.getElementById(root.dataset.sparks).textContent);
  const sparks = [];
  for (const box of root.querySelectorAll("[data-spark]")) {
    const of = figures[box.dataset.spark];
    if (of.values.some((value) => value !== null)) sparks.push(new Spark(box, times, of));
  }
  const onTheme = () => sparks.forEach((spark) => spark.draw());
  document.body.addEventListener("fw:theme", onTheme);
  return () => {
    document.body.removeEventListener("fw:theme", onTheme);
    sparks.forEach((spark) => spark.leave());
  };
});

component("[data-opens]", (button) => {
  const dialog = document.getElementById(button.dataset.opens);
  button.addEventListener("click", () => {
    dialog.showModal();
    dialog.dispatchEvent(new Event("opened"));
  });
  dialog.querySelector("[data-closes]").addEventListener("click", () => dialog.close());
});
