// The picture on the page: as large as its place allows, with the boxes and their words over it.
import { Overlay } from "./overlay.js";
import { Surface } from "./surface.js";
import { series } from "./words.js";

export class Stage {
  #place; #surface = null; #overlay = null; #editing = null; #isDrawing = false; #isHidden = false;

  constructor(place) {
    this.#place = place;
  }

  // Put `image` up with the boxes of `editing`, which hears of what the pointer does.
  mount(image, editing) {
    this.#surface?.destroy();
    this.#editing = editing;
    const { width, height } = editing.item;
    const frame = document.createElement("div");
    frame.className = "stage__frame";
    frame.style.setProperty("--ratio", width / height);
    frame.append(image);
    this.#place.replaceChildren(frame);
    this.#surface = new Surface(image, { width, height }, (id, state) => this.#paint(id, state), {
      select: (id) => editing.select(id),
      drag: (id, xyxy) => editing.drag(id, xyxy),
      dragEnd: () => editing.dragEnd(),
      draw: (id, xyxy) => editing.draw(id, xyxy),
    });
    if (editing.isReadOnly) this.#surface.lock();
    this.#overlay = new Overlay(this.#surface.element);
    this.#surface.isDrawing = this.#isDrawing;
    this.isHidden = this.#isHidden;
    this.show();
  }

  show(isDragging = false) {
    if (!isDragging) this.#surface.show(this.#editing.boxes, this.#editing.selected);
    this.#overlay.show(this.#editing);
  }

  clear(content) {
    this.#surface?.destroy();
    this.#surface = null;
    this.#place.replaceChildren(content);
  }

  get isDrawing() {
    return this.#isDrawing;
  }

  set isDrawing(isDrawing) {
    this.#isDrawing = isDrawing;
    if (this.#surface) this.#surface.isDrawing = isDrawing;
  }

  get isHidden() {
    return this.#isHidden;
  }

  set isHidden(isHidden) {
    this.#isHidden = isHidden;
    if (!this.#surface) return;
    this.#surface.isVisible = !isHidden;
    this.#overlay.isVisible = !isHidden;
  }

  #paint(id, state) {
    const box = this.#editing.boxes.find((each) => each.id === id);
    const stroke = series(this.#editing.item, box?.label ?? this.#editing.label);
    const isUp = state?.selected || state?.hovered;
    return { stroke, strokeWidth: isUp ? 2.5 : 2, fill: stroke, fillOpacity: isUp ? 0.16 : 0.05 };
  }
}
