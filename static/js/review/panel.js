// The boxes as a list: each with its class, how sure the model was, and what was found of it. The
// list says in words all that the picture shows, for hands that use no pointer and eyes that
// see no picture.
import { icon } from "../icon.js";
import { FINDINGS, MISSED } from "./findings.js";
import { percent, plural, series } from "./words.js";

export class Panel {
  #list; #count; #rows = new Map(); #spare = []; #selected = null; #told;

  // told: { select(id), remove(id), restore(index), choose(id), find(index, finding) }.
  constructor({ list, count }, told) {
    this.#list = list;
    this.#count = count;
    this.#told = told;
  }

  show(editing) {
    const { ordered, removed, selected } = editing;
    const rows = new Map(), isThere = new Set(ordered.map(({ id }) => id));
    // Rows of the picture before serve again: making one takes longer than all that it then says.
    this.#spare = [...this.#rows].filter(([id, row]) => !isThere.has(id) && row.dataset.box).map(([, row]) => row);
    for (const box of ordered) rows.set(box.id, this.#row(box, editing));
    for (const index of removed) rows.set(`removed-${index}`, this.#removedRow(index, editing));
    if (this.#rows.size !== rows.size || [...rows.values()].some((row, at) => this.#list.children[at] !== row)) {
      this.#place([...rows.values()]);
    }
    this.#rows = rows;
    for (const [id, row] of rows) {
      const isSelected = id === selected;
      row.classList.toggle("is-selected", isSelected);
      row.querySelector("[data-main]")?.setAttribute("aria-pressed", String(isSelected));
      if (isSelected && id !== this.#selected) row.scrollIntoView({ block: "nearest" });
    }
    this.#selected = selected;
    this.#count.textContent = ordered.length ? plural(ordered.length, "box", "boxes") : "No boxes";
  }

  // Moving a row takes the focus from it: give it back.
  #place(rows) {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    this.#list.replaceChildren(...rows);
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  }

  #row(box, editing) {
    const { item, isReadOnly } = editing;
    const row = this.#rows.get(box.id) ?? this.#spare.shift() ?? this.#newRow();
    row.dataset.box = box.id;
    const seen = item.predictions[box.prediction];
    const isDoubtful = seen && box.prediction === item.doubtful;
    row.style.setProperty("--series", series(item, box.label));
    setText(row, "[data-label]", box.label);
    setText(row, "[data-score]", seen ? percent(seen.score) : "");
    setText(row, "[data-doubt]", isDoubtful ? "in doubt" : "");
    setText(row, "[data-missed]", seen ? "" : MISSED);
    this.#showFinding(row, seen ? box.prediction : null, box.label, editing);
    for (const button of row.querySelectorAll("[data-edits]")) button.hidden = isReadOnly;
    row.querySelector("[data-remove]").setAttribute("aria-label", `Delete ${box.label}`);
    row.querySelector("[data-choose]").setAttribute("aria-label", `Change the class of ${box.label}`);
    return row;
  }

  #newRow() {
    const row = element("li", "box-row");
    const main = button("box-row__main", () => this.#told.select(row.dataset.box));
    main.dataset.main = "";
    main.append(
      element("span", "box-row__swatch"), element("span", "box-row__label", { label: "" }),
      element("span", "box-row__doubt", { doubt: "" }), element("span", "box-row__score", { score: "" }),
      element("span", "box-row__missed", { missed: "" }),
    );
    const choose = iconButton("edit", () => this.#told.choose(row.dataset.box));
    choose.dataset.choose = "";
    const remove = iconButton("trash", () => this.#told.remove(row.dataset.box));
    remove.dataset.remove = "";
    row.append(main, this.#newFinding(), choose, remove);
    return row;
  }

  #newFinding() {
    const finding = element("select", "box-row__finding");
    finding.append(...Object.entries(FINDINGS).map(([value, words]) => new Option(words, value)));
    finding.addEventListener("change", () => this.#told.find(Number(finding.dataset.index), finding.value));
    return finding;
  }

  // What was found of the prediction with this index; of none: that the model missed it.
  #showFinding(row, index, label, editing) {
    const finding = row.querySelector(".box-row__finding");
    finding.hidden = index === null;
    if (index === null) return;
    const value = editing.findingOf(index);
    finding.dataset.index = index;
    finding.dataset.finding = value;
    finding.value = value;
    finding.disabled = editing.isReadOnly;
    finding.setAttribute("aria-label", `What the model got right or wrong with ${label}`);
  }

  #removedRow(index, editing) {
    const { item, isReadOnly } = editing;
    const { label, score } = item.predictions[index];
    const row = this.#rows.get(`removed-${index}`) ?? element("li", "box-row box-row--removed");
    row.style.setProperty("--series", series(item, label));
    const words = element("span", "box-row__main");
    const name = element("s", "box-row__label");
    name.textContent = label;
    const figure = element("span", "box-row__score");
    figure.textContent = percent(score);
    words.append(element("span", "box-row__swatch"), name, figure);
    const restore = iconButton("undo", () => this.#told.restore(index));
    restore.setAttribute("aria-label", `Bring ${label} back`);
    restore.hidden = isReadOnly;
    row.replaceChildren(words, row.querySelector(".box-row__finding") ?? this.#newFinding(), restore);
    this.#showFinding(row, index, label, editing);
    return row;
  }
}

function element(name, className, data = {}) {
  const made = document.createElement(name);
  made.className = className;
  Object.assign(made.dataset, data);
  return made;
}

function button(className, press) {
  const made = element("button", className);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

function iconButton(name, press) {
  const made = button("button button--quiet button--icon button--small", press);
  made.dataset.edits = "";
  made.append(icon(name));
  return made;
}

function setText(row, selector, text) {
  const found = row.querySelector(selector);
  if (found.textContent !== text) found.textContent = text;
}
