// Counts per class over time: stacked bars for what came into view, steps for how many at once.
import uPlot from "../vendor/uplot/uplot.js";
import { chartOptions, stack } from "./counts-options.js";
import { component } from "./component.js";
import { labelVariable } from "./colours.js";
import { IN_WORDS, TimeChart } from "./time-chart.js";

class CountsChart extends TimeChart {
  hidden = new Set();
  chips = new Map(); // by class
  rarer = document.createElement("li");

  constructor(root) {
    super(root, root.dataset.countsChart, { measure: "seen", span: "1h" });
    this.legend = root.querySelector("[data-legend]");
    this.zones = root.querySelector('[data-choice="zone"]');
    this.measures = root.querySelector('[data-choice="measure"]');
    this.rarer.className = "faint";
  }

  get zone() {
    return this.choice.zone ? this.zones.selectedOptions[0].text : "";
  }

  // Of a zone it is counted what came in, not how many were in it at once.
  pick(event) {
    const isZone = Boolean(event.target.value);
    if (isZone) this.press(this.measures.firstElementChild);
    this.measures.hidden = isZone;
    super.pick(event);
  }

  render() {
    const { times, series } = this.figures;
    const shown = series.filter(({ label }) => !this.hidden.has(label));
    const isStacked = this.choice.measure === "seen";
    const rows = shown.map(({ values }) => values);
    const data = [times, ...(isStacked ? stack(rows) : rows)];
    const options = chartOptions({
      box: this.box, times, shown, isStacked, watched: series[0]?.values ?? null, step: this.figures.step_s, span: this.choice.span,
    });
    this.plot = new uPlot(options, data, this.box);
    if (!series.length) this.sayEmpty(`Nothing ${this.zone ? `came into ${this.zone}` : "seen"} in ${IN_WORDS[this.choice.span]}`);
    this.describe();
    this.drawLegend();
  }

  describe() {
    const { series } = this.figures;
    const seen = this.zone ? `that came into ${this.zone}` : "seen";
    const what = this.choice.measure === "seen" ? seen : "most at once";
    const words = series.map(({ label, total }) => `${label} ${total}`).join(", ") || "nothing";
    this.box.setAttribute("aria-label", `Objects ${what} in ${IN_WORDS[this.choice.span]}: ${words}`);
  }

  // A chip stays the same element from one fetch to the next: a press on it must not be lost.
  drawLegend() {
    const items = this.figures.series.map(({ label, total }) => {
      const item = this.chips.get(label) ?? this.makeChip(label);
      item.querySelector(".chip").setAttribute("aria-pressed", String(!this.hidden.has(label)));
      item.querySelector("b").textContent = total.toLocaleString("en");
      return item;
    });
    this.rarer.textContent = `and ${this.figures.n_hidden} rarer`;
    if (this.figures.n_hidden) items.push(this.rarer);
    const shown = [...this.legend.children];
    if (items.length === shown.length && items.every((item, at) => item === shown[at])) return;
    const focused = document.activeElement;
    this.legend.replaceChildren(...items);
    if (this.legend.contains(focused)) focused.focus();
  }

  makeChip(label) {
    const item = document.createElement("li");
    const chip = document.createElement("button");
    const swatch = document.createElement("span");
    chip.type = "button";
    chip.className = "chip";
    swatch.className = "chip__swatch";
    swatch.style.background = labelVariable(label);
    chip.append(swatch, label, document.createElement("b"));
    chip.addEventListener("click", () => {
      if (!this.hidden.delete(label)) this.hidden.add(label);
      this.draw();
    });
    item.append(chip);
    this.chips.set(label, item);
    return item;
  }
}

component("[data-counts-chart]", (root) => {
  const chart = new CountsChart(root);
  return () => chart.leave();
});
