// The picture and its boxes under a pointer: Annotorious draws, moves and resizes; the editor's
// own list of boxes stays the truth, and this keeps the two alike.
//
// A press on a box takes it at once, a press beside one begins a new box; with a tool in hand every
// press draws with it. (Annotorious alone would want a click first, then a second press.)
import "./browser-process.js";
import { createImageAnnotator } from "../../vendor/annotorious/annotorious.js";
import { boxAt, fromPixels, outlined, settled, toPixels } from "./boxes.js";

const LOCAL = { origin: "LOCAL" }; // changes by the pointer, not by us
const REMOTE = "REMOTE";
const SLACK_PX = { mouse: 3, pen: 6, touch: 12 };
const MODES = { rectangle: "drag", polygon: "click" };
const HANDLES = ".a9s-handle, .a9s-edge-handle, .a9s-touch-handle, .a9s-polygon-midpoint";

export class Surface {
  #anno; #size; #told; #boxes = new Map(); #isQuiet = false; #tool = null; #isLocked = false;
  #grabbed = false; #drawn = null;

  // told: { select(id|null), drag(id, place), dragEnd(), draw(id, place) }, a place being
  // { xyxy, polygon }; `paint(id)` gives a style.
  constructor(image, size, paint, told) {
    this.#size = size;
    this.#told = told;
    this.#anno = createImageAnnotator(image, {
      autoSave: true,
      drawingMode: "drag",
      style: ({ id }, state) => paint(id, state),
    });
    this.#nameParts(this.element.querySelector("svg"));
    this.element.addEventListener("pointerdown", (event) => this.#press(event), { capture: true });
    for (const name of ["pointerup", "pointercancel"]) {
      this.element.addEventListener(name, () => this.#let());
    }
    const { store, selection } = this.#anno.state;
    store.observe(({ changes }) => this.#onPointer(changes), LOCAL);
    selection.subscribe(({ selected }) => {
      if (this.#isQuiet) return;
      // The press that closes an outline is also a click beside every box.
      if (this.#drawn && !selected.length) queueMicrotask(() => this.#hold(this.#drawn));
      else this.#told.select(selected[0]?.id ?? null);
    });
  }

  // The place around has the focus and the list says what there is: points of boxes are for
  // pointers alone, though Annotorious calls each a button.
  #nameParts(svg) {
    svg.tabIndex = -1;
    svg.setAttribute("aria-label", "Boxes");
    const strip = () => {
      for (const point of svg.querySelectorAll("[role=button]")) {
        point.removeAttribute("role");
        point.removeAttribute("tabindex");
      }
    };
    new MutationObserver(strip).observe(svg, { childList: true, subtree: true });
  }

  get element() {
    return this.#anno.element;
  }

  // Make the picture show these boxes, with this one in hand.
  show(boxes, selectedId) {
    this.#quietly(() => {
      const { store } = this.#anno.state;
      const wanted = new Map(boxes.map((box) => [box.id, box]));
      for (const id of this.#boxes.keys()) if (!wanted.has(id)) store.deleteAnnotation(id, REMOTE);
      for (const box of boxes) {
        const shown = this.#boxes.get(box.id);
        if (!shown && !store.getAnnotation(box.id)) store.addAnnotation(this.#annotation(box), REMOTE);
        else if (shown !== box) store.updateAnnotation(this.#annotation(box), REMOTE);
      }
      this.#boxes = wanted;
      this.#hold(selectedId);
    });
  }

  // "rectangle", "polygon", or null: boxes are taken where there are some, and drawn elsewhere.
  set tool(tool) {
    this.#tool = tool;
    this.element.classList.toggle("is-drawing", tool !== null);
    const drawn = tool ?? "rectangle";
    this.#anno.setDrawingTool(drawn);
    this.#anno.setDrawingMode(MODES[drawn]);
  }

  // Whether something is drawn that is not done yet.
  get isSketching() {
    return Boolean(this.element.querySelector(".a9s-rubberband :is(polygon, rect)"));
  }

  // Whether a point of an outline was taken, which Delete then removes.
  get hasPointTaken() {
    return Boolean(this.element.querySelector(".a9s-handle-selected"));
  }

  cancelSketch() {
    this.#anno.cancelDrawing();
  }

  set isVisible(isVisible) {
    this.#anno.setVisible(isVisible);
  }

  // A picture that is only looked at.
  lock() {
    this.#isLocked = true;
    this.#anno.setDrawingEnabled(false);
    this.#anno.setUserSelectAction("SELECT");
  }

  destroy() {
    this.#isQuiet = true;
    this.#anno.destroy();
  }

  #annotation({ id, xyxy, polygon }) {
    const { x, y, w, h } = toPixels(xyxy, this.#size);
    const { width, height } = this.#size;
    const bounds = { minX: x, minY: y, maxX: x + w, maxY: y + h };
    const selector = polygon
      ? { type: "POLYGON", geometry: { points: polygon.map(([px, py]) => [px * width, py * height]), bounds } }
      : { type: "RECTANGLE", geometry: { x, y, w, h, rot: 0, bounds } };
    return { id, bodies: [], target: { annotation: id, selector } };
  }

  #hold(id) {
    const held = this.#anno.state.selection.selected?.[0]?.id ?? null;
    if (held !== id) this.#anno.setSelected(id ?? undefined);
  }

  #quietly(change) {
    this.#isQuiet = true;
    try {
      change();
    } finally {
      this.#isQuiet = false;
    }
  }

  #onPointer({ created = [], updated = [] }) {
    for (const annotation of created) {
      this.#boxes.set(annotation.id, null);
      this.#drawn = annotation.id;
      requestAnimationFrame(() => (this.#drawn = null));
      this.#told.draw(annotation.id, this.#place(annotation));
    }
    for (const { newValue } of updated) {
      const before = this.#boxes.get(newValue.id);
      const { xyxy, polygon } = this.#place(newValue);
      if (before) this.#told.drag(newValue.id, { xyxy: settled(before.xyxy, xyxy, this.#size), polygon });
    }
    if (updated.length && !this.#grabbed) this.#told.dragEnd(); // a key took a point away
  }

  #place({ target: { selector: { type, geometry } } }) {
    if (type === "POLYGON") return outlined(geometry.points, this.#size);
    return { xyxy: fromPixels(geometry, this.#size), polygon: null };
  }

  #press(event) {
    if (!event.isTrusted || event.button !== 0 || this.#isLocked) return;
    this.#grabbed = true;
    const held = this.#anno.state.selection.selected?.[0]?.id;
    const onHeld = event.target.closest?.(".a9s-annotation.selected");
    const box = this.#tool ? undefined : this.#under(event);
    if (!this.#tool && onHeld && (!box || box.id === held || isHandle(event.target))) {
      this.#keepHeld(onHeld);
      return;
    }
    if (!box) {
      // Annotorious draws only while nothing is in hand; letting go mounts its tool in time.
      if (held) this.#anno.setSelected();
      // A drag that ends beyond the picture ends there.
      this.element.querySelector("svg").setPointerCapture(event.pointerId);
      return;
    }
    event.stopPropagation();
    event.preventDefault();
    this.#anno.setSelected(box.id);
    requestAnimationFrame(() => this.#hand(event));
  }

  // Give the press to the box that it selected, so that one gesture selects and moves.
  #hand(event) {
    const shape = this.element.querySelector(".a9s-annotation.selected .a9s-shape-handle");
    if (!shape || !this.#grabbed) return;
    const { pointerId, pointerType, clientX, clientY } = event;
    this.#keepHeld(shape.closest(".a9s-annotation"));
    shape.dispatchEvent(new PointerEvent("pointerdown", {
      pointerId, pointerType, clientX, clientY, bubbles: true, cancelable: true, isPrimary: true,
    }));
  }

  // Annotorious takes a quick drag for a click, and would let go of a box whose edge came short of
  // the pointer: the end of a drag is for the box alone.
  #keepHeld(group) {
    const end = (event) => {
      event.stopPropagation();
      this.#let();
    };
    group.addEventListener("pointerup", end, { once: true });
  }

  #under({ clientX, clientY, pointerType }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const slack = SLACK_PX[pointerType] ?? SLACK_PX.mouse;
    const shown = [...this.#boxes.values()].filter(Boolean);
    const x = (clientX - left) / width, y = (clientY - top) / height;
    return boxAt(shown, x, y, slack / width, slack / height);
  }

  #let() {
    if (!this.#grabbed) return;
    this.#grabbed = false;
    this.#told.dragEnd();
  }
}

function isHandle(target) {
  return Boolean(target.closest?.(HANDLES));
}
