// The week as a picture of half hours to paint, beside a field that says the same in words, such
// as "Mon-Fri 18:00-06:00": the twin of webapp/dashboard/hours.py. The field is what is sent.
import { component } from "../component.js";
import { h } from "./elements.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const CELLS = 48, CELL_MINUTES = 30, DAY_MINUTES = 24 * 60;
const PRESETS = [
  ["Always", ""],
  ["At night", "Mon-Sun 20:00-06:00"],
  ["Office hours", "Mon-Fri 08:00-18:00"],
  ["Outside office hours", "Mon-Fri 18:00-08:00, Sat-Sun 00:00-24:00"],
];
const PART = /^([a-z ,-]+?)\s*(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})\s*(?:[,;]|$)\s*/i;

// Windows { days, from, to } in minutes; null where the words are not understood.
export function parseHours(text) {
  const windows = [];
  for (let rest = text.trim().replace(/\s*[-–]\s*/g, "-"); rest;) {
    const part = PART.exec(rest);
    const days = part && part[1].replaceAll(",", " ").trim().split(/\s+/).map(daysOf);
    if (!days || days.includes(null)) return null;
    const [from, to] = [Number(part[2]) * 60 + Number(part[3]), Number(part[4]) * 60 + Number(part[5])];
    if (from >= DAY_MINUTES || to > DAY_MINUTES || from === to) return null;
    windows.push({ days: [...new Set(days.flat())], from, to });
    rest = rest.slice(part[0].length);
  }
  return windows;
}

// Seven rows of half hours that are on: those whose middle is in a window.
export function cellsOf(windows) {
  const cells = DAYS.map(() => new Array(CELLS).fill(windows.length === 0));
  for (const { days, from, to } of windows) {
    for (const day of days) {
      const end = to > from ? to : DAY_MINUTES + to;
      for (let cell = 0; cell < 2 * CELLS; cell += 1) {
        const middle = (cell + 0.5) * CELL_MINUTES;
        if (middle < from || middle >= end) continue;
        cells[(day + Math.floor(cell / CELLS)) % 7][cell % CELLS] = true;
      }
    }
  }
  return cells;
}

// The words for painted cells: days with the same hours together. Empty when all is on.
export function wordsOf(cells) {
  if (cells.every((row) => row.every(Boolean))) return "";
  const bySpans = new Map();
  for (const [day, row] of cells.entries()) {
    for (const span of spansOf(row)) bySpans.set(span, [...(bySpans.get(span) ?? []), day]);
  }
  return [...bySpans].map(([span, days]) => `${daysInWords(days)} ${span}`).join(", ");
}

function spansOf(row) {
  const spans = [];
  for (let cell = 0, start = -1; cell <= CELLS; cell += 1) {
    if (row[cell] && start < 0) start = cell;
    if (!row[cell] && start >= 0) {
      spans.push(`${clock(start)}-${clock(cell)}`);
      start = -1;
    }
  }
  return spans;
}

function daysOf(words) {
  const [first, last = first] = words.split("-").map((word) => DAYS.findIndex((day) => day.toLowerCase() === word.toLowerCase()));
  if (first < 0 || last < 0) return null;
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, step) => (first + step) % 7);
}

function daysInWords(days) {
  const runs = [];
  for (const day of days) {
    if (runs.length && day === runs.at(-1).at(-1) + 1) runs.at(-1).push(day);
    else runs.push([day]);
  }
  return runs.map((run) => [...new Set([run[0], run.at(-1)])].map((day) => DAYS[day]).join("-")).join(" ");
}

function clock(cell) {
  const minutes = cell * CELL_MINUTES;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

class Week {
  #field; #cells; #elements; #painting = null;

  constructor(root, field) {
    this.#field = field;
    this.#elements = DAYS.map((_, day) => Array.from({ length: CELLS }, (__, cell) => h("span", {
      class: `week__cell${cell % 2 ? "" : " is-hour"}`, "data-day": day, "data-cell": cell,
    })));
    const hours = [0, 6, 12, 18].map((hour) => h("span", { class: "week__hour" }, `${hour}:00`));
    const grid = h("div", { class: "week__grid", "aria-hidden": "true" }, h("span"), ...hours,
      ...DAYS.flatMap((name, day) => [h("span", { class: "week__day" }, name), ...this.#elements[day]]));
    const presets = PRESETS.map(([name, words]) => h("button", {
      type: "button", class: "button button--small", onClick: () => this.#say(words),
    }, name));
    root.replaceChildren(grid, h("div", { class: "week__presets" }, ...presets));
    grid.addEventListener("pointerdown", (event) => this.#begin(event));
    grid.addEventListener("pointermove", (event) => this.#paint(event));
    for (const name of ["pointerup", "pointercancel"]) grid.addEventListener(name, () => this.#end());
    field.addEventListener("input", () => this.#read());
    this.#read();
  }

  #say(words) {
    this.#field.value = words;
    this.#read();
  }

  #read() {
    const windows = parseHours(this.#field.value);
    if (!windows) return; // half typed; the hub says what is wrong with it if it stays so
    this.#cells = cellsOf(windows);
    this.#show();
  }

  #show() {
    for (const [day, row] of this.#elements.entries()) {
      for (const [cell, element] of row.entries()) element.classList.toggle("is-on", this.#cells[day][cell]);
    }
  }

  // The first cell says whether hours are painted or wiped away. Of a week that is all on, the
  // first stroke paints: "always" becomes "only then".
  #begin(event) {
    const target = event.target.closest("[data-cell]");
    if (!target) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    if (this.#field.value.trim() === "") this.#cells = DAYS.map(() => new Array(CELLS).fill(false));
    const [day, cell] = [Number(target.dataset.day), Number(target.dataset.cell)];
    this.#painting = { isOn: !this.#cells[day][cell], day, cell, before: this.#cells };
    this.#paint(event);
  }

  // With nothing left to watch the field is empty, which means always: that is shown then.
  #end() {
    if (this.#painting) this.#read();
    this.#painting = null;
  }

  // From where the stroke began to where it is now, as a rectangle of days and hours.
  #paint({ clientX, clientY }) {
    const stroke = this.#painting;
    const target = stroke && document.elementFromPoint(clientX, clientY)?.closest("[data-cell]");
    if (!target) return;
    const days = [stroke.day, Number(target.dataset.day)].toSorted((a, b) => a - b);
    const cells = [stroke.cell, Number(target.dataset.cell)].toSorted((a, b) => a - b);
    this.#cells = stroke.before.map((row, day) => row.map((isOn, cell) => (
      day >= days[0] && day <= days[1] && cell >= cells[0] && cell <= cells[1] ? stroke.isOn : isOn
    )));
    this.#field.value = wordsOf(this.#cells);
    this.#show();
  }
}

component("[data-week]", (root) => {
  new Week(root, document.getElementById(root.dataset.week));
});
