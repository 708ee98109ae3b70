// What charts over time have in common: choices, fetching again, drawing anew, words of time.
const REFRESH_MS = { "1h": 10000, "24h": 60000, "7d": 300000, "30d": 900000, "90d": 900000 };
export const IN_WORDS = {
  "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days", "90d": "the last 90 days",
};
const LONG = new Set(["7d", "30d", "90d"]);
export const HOUR_S = 3600, DAY_S = 86400;

export const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const weekDay = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const utcDay = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

// A chart in `[data-chart]`, chosen by `[data-choice]`s. Its heir has `render()` and `plot`.
export class TimeChart {
  constructor(root, address, choice) {
    this.root = root;
    this.address = address;
    this.box = root.querySelector("[data-chart]");
    this.choice = choice;
    this.plot = null;
    root.addEventListener("click", (event) => this.choose(event));
    for (const select of root.querySelectorAll("select[data-choice]")) {
      this.choice[select.dataset.choice] = select.value; // the browser may remember it
      select.addEventListener("change", (event) => this.pick(event));
    }
    this.onTheme = () => this.draw();
    this.onVisible = () => document.hidden || this.load();
    document.body.addEventListener("fw:theme", this.onTheme);
    document.addEventListener("visibilitychange", this.onVisible);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.box);
    this.load();
  }

  leave() {
    this.hasLeft = true;
    clearTimeout(this.timer);
    this.resize.disconnect();
    this.plot?.destroy();
    document.body.removeEventListener("fw:theme", this.onTheme);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  choose({ target }) {
    const button = target.closest("[data-choice] > button");
    if (!button) return;
    this.press(button);
    this.load();
  }

  press(button) {
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.choice[button.parentElement.dataset.choice] = button.value;
  }

  pick({ target }) {
    this.choice[target.dataset.choice] = target.value;
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    const choice = { ...this.choice };
    const asked = new URLSearchParams(Object.entries(choice).filter(([, value]) => value));
    const response = await fetch(`${this.address}?${asked}`).catch(() => null);
    if (this.hasLeft || Object.keys(choice).some((key) => choice[key] !== this.choice[key])) return;
    this.timer = setTimeout(() => document.hidden || this.load(), REFRESH_MS[choice.span]);
    if (!response?.ok) return;
    this.figures = await response.json();
    this.draw();
    this.root.dataset.loaded = [...asked.values()].join(" ");
  }

  draw() {
    if (!this.figures) return;
    const { left = -1, top = -1 } = this.plot?.cursor ?? {};
    this.plot?.destroy();
    this.box.replaceChildren();
    this.render();
    if (left >= 0) this.plot?.setCursor({ left, top }); // who reads the tip goes on reading
  }

  fit() {
    const { width, height } = inner(this.box);
    if (this.plot && (this.plot.width !== width || this.plot.height !== height)) this.plot.setSize({ width, height });
  }

  sayEmpty(text) {
    const element = document.createElement("p");
    element.className = "chart__empty";
    element.textContent = text;
    this.box.append(element);
  }
}

export function inner(box) {
  return { width: box.clientWidth - 24, height: box.clientHeight - 12 };
}

export function tickWords(seconds, span) {
  const instant = new Date(seconds * 1000);
  if (span === "7d") return weekDay.format(instant);
  const isMidnight = instant.getHours() === 0 && instant.getMinutes() === 0;
  return LONG.has(span) || isMidnight ? date.format(instant) : clock.format(instant);
}

// Buckets of a day are the hub's days.
export function bucketWords(time, step, span) {
  const from = new Date(time * 1000), to = new Date((time + step) * 1000);
  if (step >= DAY_S) return `${utcDay.format(from)} (UTC)`;
  const hours = step > 60 ? `${clock.format(from)} – ${clock.format(to)}` : clock.format(from);
  return LONG.has(span) ? `${day.format(from)}, ${hours}` : hours;
}

export function dayAndClock(seconds) {
  const instant = new Date(seconds * 1000);
  return `${day.format(instant)}, ${clock.format(instant)}`;
}

// A plugin of uPlot: a tip that `content(index)` fills with elements; nothing where it has none.
export function tooltip(box, content) {
  const tip = document.createElement("div");
  tip.className = "chart__tip";
  tip.hidden = true;
  const setCursor = (plot) => {
    const { idx, left } = plot.cursor;
    const elements = idx === null || idx === undefined || left < 0 ? [] : content(idx);
    tip.hidden = !elements.length;
    if (tip.hidden) return;
    tip.replaceChildren(...elements);
    const at = plot.over.offsetLeft + plot.valToPos(plot.data[0][idx], "x");
    const isRight = at > box.clientWidth / 2;
    tip.style.transform = `translate(${Math.round(isRight ? at - tip.offsetWidth - 4 : at + 28)}px, 16px)`;
  };
  return { hooks: { init: () => box.append(tip), setCursor } };
}

export function tipHead(words) {
  const head = document.createElement("time");
  head.textContent = words;
  return head;
}

export function tipRow(label, value, colour) {
  const row = document.createElement("li");
  const number = document.createElement("b");
  number.textContent = value;
  if (colour) {
    const swatch = document.createElement("span");
    swatch.className = "chip__swatch";
    swatch.style.background = colour;
    row.append(swatch);
  }
  row.append(label, number);
  return row;
}
