// The drawing over the picture, as SVG: what pointer, finger and keyboard do to it.
import { Draft } from "./draft.js";
import { colourOf, corners, draftShape, shapeGroup, svg } from "./paint.js";
import { cornerAt, hasCornersToAdd, moved } from "./shapes.js";

const STEP = 0.005, BIG_STEP = 0.05;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KIND_WORDS = { zone: "Zone", line: "Line", hidden: "Hidden part", region: "Part that is looked at" };
const IN_THE_MIDDLE = { line: [[0.3, 0.5], [0.7, 0.5]] };

export class Stage {
  #element; #editing; #size; #told; #draft = null; #drag = null; #tool = null; #isShowing = false;

  // told: { tool(kind or null), hint(draft or null), say(words) }.
  constructor(element, editing, size, told) {
    this.#element = element;
    this.#editing = editing;
    this.#size = size;
    this.#told = told;
    element.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#release(event));
    element.addEventListener("pointercancel", () => this.#cancelDrag());
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("focusin", ({ target }) => this.#focus(target));
    new ResizeObserver(() => this.show()).observe(element);
  }

  get tool() {
    return this.#tool;
  }

  set tool(kind) {
    this.#tool = kind;
    this.#draft = kind && new Draft(kind, this.#editing.limits.points);
    this.#element.classList.toggle("is-drawing", kind !== null);
    if (kind) this.#editing.select(null);
    this.#told.tool(kind);
    this.#tellDraft();
    this.show();
  }

  get draft() {
    return this.#draft;
  }

  // Without a pointer: a shape in the middle, with its first corner in hand.
  addInTheMiddle(kind) {
    const corner = 0.3 + 0.02 * (this.#editing.shapes.length % 10);
    const square = [[corner, corner], [corner + 0.3, corner], [corner + 0.3, corner + 0.3], [corner, corner + 0.3]];
    const shape = this.#editing.add(kind, IN_THE_MIDDLE[kind] ?? square);
    if (shape) this.focus(shape.id, 0);
  }

  focus(id, corner = null) {
    this.#element.querySelector(`[data-key="${id} ${corner ?? ""}"]`)?.focus();
  }

  // The shape that is being drawn is done as it stands.
  finish() {
    const { kind, points } = this.#draft;
    this.tool = null;
    const shape = this.#editing.add(kind, points);
    if (shape) this.focus(shape.id);
    else this.#told.say("Too small: nothing was drawn.");
  }

  show() {
    const { width, height } = this.#element.getBoundingClientRect();
    if (!width || !height) return;
    // The picture is letterboxed into its place; handles have the same size on every screen.
    const unit = Math.max(this.#size.width / width, this.#size.height / height);
    const held = this.#element.contains(document.activeElement) ? document.activeElement.dataset?.key : null;
    const { selected } = this.#editing;
    const parts = this.#editing.shapes.toSorted((a, b) => order(a) - order(b)).flatMap((shape) => {
      const isSelected = shape.id === selected;
      const look = { size: this.#size, unit, isSelected, colour: colourOf(shape, this.#editing), label: this.#label(shape) };
      const group = shapeGroup(shape, look);
      if (!isSelected || this.#editing.isLocked(shape)) return [group];
      const mayAdd = hasCornersToAdd(shape, this.#editing.limits.points);
      return [group, ...corners(shape, { ...look, corner: this.#editing.corner, mayAdd })];
    });
    if (this.#draft) parts.push(draftShape(this.#draft, { size: this.#size, unit }));
    this.#element.replaceChildren(svg("title", {}, "Zones and lines over the picture"), ...parts);
    this.#isShowing = true; // what had the focus gets it back; that chooses nothing
    if (held) this.#element.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
    this.#isShowing = false;
  }

  #label(shape) {
    const n = shape.points.length;
    const words = [KIND_WORDS[shape.kind], shape.name, `${n} ${shape.kind === "line" ? "ends" : "corners"}`];
    return words.filter(Boolean).join(", ");
  }

  // A place in the picture, 0..1, also beyond its edges.
  #at({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.#element.getScreenCTM().inverse());
    return [x / this.#size.width, y / this.#size.height];
  }

  #press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    if (this.#draft) {
      event.preventDefault();
      this.#element.setPointerCapture(event.pointerId);
      this.#draft.press(this.#at(event), this.#pixels());
      this.show();
      return;
    }
    const grabbed = event.target.closest("[data-id]");
    if (!grabbed) return this.#editing.select(null);
    event.preventDefault();
    const { id, corner, after } = grabbed.dataset;
    // A finger that comes by chooses; only what is chosen already goes with it.
    const isHeld = event.pointerType !== "touch" || this.#editing.selected === id;
    this.#element.setPointerCapture(event.pointerId);
    if (after !== undefined) this.#editing.addCorner(Number(after));
    else this.#editing.select(id, corner === undefined ? null : Number(corner));
    if (isHeld) this.#drag = { from: this.#at(event), corner: this.#editing.corner, isMoved: false };
    this.focus(id, this.#editing.corner);
  }

  #move(event) {
    const point = this.#at(event);
    if (this.#draft) {
      this.#draft.move(point, this.#pixels());
      this.show();
    } else if (this.#drag) {
      const { from, corner } = this.#drag;
      const [dx, dy] = [point[0] - from[0], point[1] - from[1]];
      const [px, py] = this.#pixels();
      this.#drag.isMoved ||= Math.hypot(dx * px, dy * py) > 3;
      if (!this.#drag.isMoved) return;
      this.#editing.drag((shape) => (corner === null ? moved(shape, dx, dy) : cornerAt(shape, corner, point)));
    }
  }

  #release(event) {
    if (this.#draft) {
      const isDone = this.#draft.release(this.#at(event), this.#pixels());
      if (isDone) this.finish();
      else this.#tellDraft();
      this.show();
    } else if (this.#drag) {
      this.#cancelDrag();
    }
  }

  #cancelDrag() {
    this.#drag = null;
    this.#draft?.let();
    this.#editing.dragEnd();
  }

  #tellDraft() {
    this.#told.hint(this.#draft);
  }

  // How many pixels of the screen the picture is wide and high.
  #pixels() {
    const matrix = this.#element.getScreenCTM();
    return [this.#size.width * matrix.a, this.#size.height * matrix.d];
  }

  #focus(target) {
    const { id, corner } = target.dataset ?? {};
    if (id && !this.#draft && !this.#isShowing) this.#editing.select(id, corner === undefined ? null : Number(corner));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || !event.target.dataset?.id) return;
    const way = ARROWS[event.key];
    const step = event.shiftKey ? BIG_STEP : STEP;
    if (way) this.#editing.nudge(way[0] * step, way[1] * step);
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove();
    else if (event.key === "+" || event.key === "Insert") this.#addCorner();
    else if (event.key === "Enter") this.#intoCorners();
    else return;
    event.preventDefault();
  }

  #remove() {
    const { selected, corner, shape } = this.#editing;
    this.#editing.remove();
    if (!this.#editing.find(selected)) return this.#element.querySelector("[data-id]")?.focus();
    if (corner !== null && this.#editing.shape === shape) {
      this.#told.say("It needs the corners that are left. Delete all of it from the list.");
    }
    this.focus(selected, this.#editing.corner);
  }

  #addCorner() {
    const { corner } = this.#editing;
    if (corner !== null && this.#editing.addCorner(corner)) this.focus(this.#editing.selected, this.#editing.corner);
  }

  #intoCorners() {
    if (this.#editing.corner === null) this.focus(this.#editing.selected, 0);
  }
}

// What is small lies over what is large: the region below all, lines on top.
function order({ kind }) {
  return ["region", "hidden", "zone", "line"].indexOf(kind);
}
