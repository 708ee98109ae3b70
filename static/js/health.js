// The last step of the chain, to this browser and back, can only be measured here.
import { component } from "./component.js";

const EVERY_MS = 5000, KEPT = 6;
const LEVELS = [[300, "ok"], [1000, "warn"], [Infinity, "err"]];

component("[data-health]", (root) => {
  const lately = [];

  function show() {
    const stage = root.querySelector("[data-browser]");
    if (!stage || !lately.length) return;
    const ms = [...lately].sort((a, b) => a - b)[Math.floor((lately.length - 1) / 2)];
    const level = Number.isFinite(ms) ? LEVELS.find(([most]) => ms < most)[1] : "err";
    stage.className = `way__stage way__stage--${level}`;
    stage.querySelector("[data-browser-figure]").textContent = Number.isFinite(ms) ? `${Math.round(ms)} ms` : "away";
  }

  async function measure() {
    const begun = performance.now();
    let took = Infinity;
    try {
      const answer = await fetch(root.dataset.ping, { cache: "no-store", signal: AbortSignal.timeout(4500) });
      if (answer.ok && !answer.redirected) took = performance.now() - begun;
    } catch {
      // It did not answer: that is the figure.
    }
    lately.push(took);
    if (lately.length > KEPT) lately.shift();
    show();
  }

  const timer = setInterval(measure, EVERY_MS);
  root.addEventListener("htmx:afterSwap", show);
  measure();
  return () => clearInterval(timer);
});
