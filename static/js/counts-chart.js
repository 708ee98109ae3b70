// Counts per class over time: stacked bars for what came into view, steps for how many at once.
import uPlot from "../vendor/uplot/uplot.js";
import { chartOptions, stack } from "./counts-options.js";
import { component } from "./component.js";
import { labelVariable } from "./colours.js";
import { IN_WORDS, TimeChart } from "./time-chart.js";

class CountsChart extends TimeChart {
  hidden = new Set();

  constructor(root) {
    super(root, root.dataset.countsChart, { measure: "seen", span: "1h" });
    this.legend = root.querySelector("[data-legend]");
    this.zones = root.querySelector('[data-choice="zone"]');
    this.measures = root.querySelector('[data-choice="measure"]');
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

  drawLegend() {
    const items = this.figures.series.map(({ label, total }) => {
      const item = document.createElement("li");
      const chip = document.createElement("button");
      const swatch = document.createElement("span");
      const number = document.createElement("b");
      chip.type = "button";
      chip.className = "chip";
      chip.setAttribute("aria-pressed", String(!this.hidden.has(label)));
      swatch.className = "chip__swatch";
      swatch.style.background = labelVariable(label);
      number.textContent = total.toLocaleString("en");
      chip.append(swatch, label, number);
      chip.addEventListener("click", () => {
        if (!this.hidden.delete(label)) this.hidden.add(label);
        this.draw();
      });
      item.append(chip);
      return item;
    });
    const focused = [...this.legend.querySelectorAll(".chip")].indexOf(document.activeElement);
    this.legend.replaceChildren(...items);
    this.legend.querySelectorAll(".chip")[focused]?.focus();
    if (this.figures.n_hidden) {
      const more = document.createElement("li");
      more.className = "faint";
      more.textContent = `and ${this.figures.n_hidden} rarer`;
      this.legend.append(more);
    }
  }
}

component("[data-counts-chart]", (root) => {
  const chart = new CountsChart(root);
  return () => chart.leave();
});
