// The list of what is drawn: names, and what else can be done to a shape besides dragging it.
import { icon } from "../icon.js";
import { error, h, iconButton, rebuild } from "./elements.js";
import { colourOf } from "./paint.js";

const MAX_NAME = 200;

export class ShapeList {
  #root; #editing; #stage;

  constructor(root, editing, stage) {
    this.#root = root;
    this.#editing = editing;
    this.#stage = stage;
  }

  // errors: sentences by the dotted field of the document.
  show(errors = {}) {
    const { shapes } = this.#editing;
    const rows = ["zone", "line", "hidden", "region"].flatMap((kind) => (
      shapes.filter((shape) => shape.kind === kind).map((shape, index) => this.#row(shape, wrongWith(kind, index, errors)))
    ));
    if (!rows.length) rows.push(h("li", { class: "scene-none" }, "Nothing is drawn yet. Choose what to draw above the picture."));
    rebuild(this.#root, rows);
  }

  // The rows stay: whoever has just gone into a name keeps what the browser selected of it.
  mark() {
    for (const row of this.#root.children) row.classList.toggle("is-selected", row.dataset.shape === this.#editing.selected);
  }

  #row(shape, wrong) {
    const { kind, id, name } = shape;
    const isLocked = this.#editing.isLocked(shape);
    const isNamed = kind === "zone" || kind === "line";
    const swatch = h("span", { class: `scene-swatch scene-swatch--${kind}` });
    swatch.style.setProperty("--colour", colourOf(shape, this.#editing));
    const words = { hidden: "Hidden in every picture", region: "Only this part is looked at" }[kind];
    const what = isNamed ? name || kind : words;
    const label = isNamed
      ? h("input", {
        class: "input input--small", value: name, maxlength: MAX_NAME, required: true, "data-focus": `name ${id}`,
        "aria-label": kind === "zone" ? "Name of the zone" : "Name of the line",
        onInput: ({ target }) => this.#editing.rename(id, target.value, "shape-list"),
        onFocus: () => this.#editing.select(id),
      })
      : h("button", {
        type: "button", class: "scene-shape__words", "data-focus": `name ${id}`,
        onClick: () => (isLocked ? this.#editing.select(id) : this.#stage.focus(id)),
      }, words);
    return h("li", { class: `scene-shape${id === this.#editing.selected ? " is-selected" : ""}`, "data-shape": id },
      swatch, label,
      kind === "line" && iconButton("turn", `Turn ${what} round`, () => this.#editing.turnRound(id), { "data-focus": `turn ${id}` }),
      isLocked
        ? h("span", { class: "scene-lock", title: "Only an admin may change what is hidden" }, icon("key"))
        : iconButton("trash", `Delete ${what}`, () => this.#editing.removeShape(id), { "data-focus": `delete ${id}` }),
      wrong && error(wrong));
  }
}

function wrongWith(kind, index, errors) {
  const path = { zone: `scene.zones.${index}`, line: `scene.lines.${index}`, hidden: `privacy_zones.${index}`, region: "region" }[kind];
  const found = Object.entries(errors).find(([field]) => field === path || field.startsWith(`${path}.`));
  return found?.[1].join(" ");
}
