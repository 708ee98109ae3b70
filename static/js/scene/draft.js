// A shape while it is being drawn: tap by tap, or as a rectangle in one drag. No page.
import { MIN_CORNERS, rectangle } from "./shapes.js";

const DRAG_PX = 8, CLOSE_PX = 14;

export class Draft {
  #placed = []; #pressed = null; #hover = null; #isDragged = false; #mostPoints;

  constructor(kind, mostPoints) {
    this.kind = kind;
    this.#mostPoints = mostPoints;
  }

  // Placed so far; of a drag, what it would become.
  get points() {
    if (this.#isDragged) return this.#between(this.#pressed, this.#hover);
    return this.#placed;
  }

  // Where the next corner would be.
  get preview() {
    return this.#isDragged ? null : this.#hover;
  }

  get isClosable() {
    return this.#isPolygon && this.#placed.length >= MIN_CORNERS[this.kind];
  }

  get isBegun() {
    return this.#placed.length > 0;
  }

  press(point, pixels) {
    this.#pressed = point;
    this.#hover = point;
    this.#isDragged = false;
    this.#note(pixels);
  }

  move(point, pixels) {
    this.#hover = point;
    this.#note(pixels);
  }

  // The pointer is up again: true when that was the last that was needed.
  release(point, pixels) {
    if (!this.#pressed) return false;
    this.move(point, pixels);
    if (this.#isDragged) return true;
    this.#pressed = null;
    const first = this.#placed[0];
    if (this.isClosable && distance(point, first, pixels) < CLOSE_PX) return true;
    this.#placed = [...this.#placed, point];
    if (this.#isPolygon) return this.#placed.length >= this.#mostPoints;
    if (this.#placed.length < 2) return false;
    this.#placed = this.#between(...this.#placed);
    return true;
  }

  let() {
    this.#pressed = null;
    this.#isDragged = false;
  }

  back() {
    this.#placed = this.#placed.slice(0, -1);
  }

  get #isPolygon() {
    return this.kind === "zone" || this.kind === "hidden";
  }

  #between(from, to) {
    return this.kind === "line" ? [from, to] : rectangle(from, to);
  }

  // A drag counts from the first corner alone: later ones are placed where the finger lifts.
  #note(pixels) {
    if (!this.#pressed || this.#placed.length) return;
    this.#isDragged ||= distance(this.#pressed, this.#hover, pixels) > DRAG_PX;
  }
}

function distance([x0, y0], [x1, y1], [width, height]) {
  return Math.hypot((x1 - x0) * width, (y1 - y0) * height);
}
