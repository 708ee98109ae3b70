// Counts per class over time: stacked bars for what came into view, steps for how many at once.
import uPlot from "../vendor/uplot/uplot.js";
import { chartOptions, stack } from "./counts-options.js";
import { component } from "./component.js";
import { labelVariable } from "./colours.js";

const REFRESH_MS = { "1h": 10000, "24h": 60000, "7d": 300000 };
const IN_WORDS = { "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days" };

class CountsChart {
  constructor(root) {
    this.root = root;
    this.box = root.querySelector("[data-chart]");
    this.legend = root.querySelector("[data-legend]");
    this.choice = { measure: "seen", span: "1h" };
    this.hidden = new Set();
    this.plot = null;
    root.addEventListener("click", (event) => this.choose(event));
    this.onTheme = () => this.draw();
    this.onVisible = () => document.hidden || this.load();
    document.body.addEventListener("fw:theme", this.onTheme);
    document.addEventListener("visibilitychange", this.onVisible);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.box);
    this.load();
  }

  leave() {
    clearTimeout(this.timer);
    this.resize.disconnect();
    this.plot?.destroy();
    document.body.removeEventListener("fw:theme", this.onTheme);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  choose({ target }) {
    const button = target.closest("[data-choice] > button");
    if (!button) return;
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.choice[button.parentElement.dataset.choice] = button.value;
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    const choice = { ...this.choice };
    const response = await fetch(`${this.root.dataset.countsChart}?${new URLSearchParams(choice)}`).catch(() => null);
    if (choice.span !== this.choice.span || choice.measure !== this.choice.measure) return;
    this.timer = setTimeout(() => document.hidden || this.load(), REFRESH_MS[choice.span]);
    if (!response?.ok) return;
    this.counts = await response.json();
    this.draw();
    this.root.dataset.loaded = `${choice.measure} ${choice.span}`;
  }

  draw() {
    if (!this.counts) return;
    const { times, series } = this.counts;
    const shown = series.filter(({ label }) => !this.hidden.has(label));
    const isStacked = this.choice.measure === "seen";
    const rows = shown.map(({ values }) => values);
    const data = [times, ...(isStacked ? stack(rows) : rows)];
    this.plot?.destroy();
    this.box.replaceChildren();
    const options = chartOptions({
      box: this.box, shown, isStacked, watched: series[0]?.values ?? null, step: this.counts.step_s, span: this.choice.span,
    });
    this.plot = new uPlot(options, data, this.box);
    if (!series.length) this.box.append(emptyWords(`Nothing seen in ${IN_WORDS[this.choice.span]}`));
    this.describe();
    this.drawLegend();
  }

  fit() {
    const width = this.box.clientWidth - 24, height = this.box.clientHeight - 12;
    if (this.plot && (this.plot.width !== width || this.plot.height !== height)) this.plot.setSize({ width, height });
  }

  describe() {
    const { series } = this.counts;
    const what = this.choice.measure === "seen" ? "seen" : "most at once";
    const words = series.map(({ label, total }) => `${label} ${total}`).join(", ") || "nothing";
    this.box.setAttribute("aria-label", `Objects ${what} in ${IN_WORDS[this.choice.span]}: ${words}`);
  }

  drawLegend() {
    const items = this.counts.series.map(({ label, total }) => {
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
    if (this.counts.n_hidden) {
      const more = document.createElement("li");
      more.className = "faint";
      more.textContent = `and ${this.counts.n_hidden} rarer`;
      this.legend.append(more);
    }
  }
}

function emptyWords(text) {
  const element = document.createElement("p");
  element.className = "chart__empty";
  element.textContent = text;
  return element;
}

component("[data-counts-chart]", (root) => {
  const chart = new CountsChart(root);
  return () => chart.leave();
});
