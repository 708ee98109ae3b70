// How near one looks at the picture, and at what part of it. It stays from picture to picture: who
// looks at a far corner of a camera's pictures looks at it in the next one too.
//
// The frame is laid out larger than its place and moved, never transformed, so that boxes, their
// handles and captions keep the size they have on the screen.
import { clamp } from "./boxes.js";

const MOST = 12;
const STEP = 1.25;
const OF_WHEEL = 0.0016; // how much one unit of a wheel's way changes the zoom, as a power of e
const OF_PLACE = 0.7; // what a box that is looked at takes of it

export class View {
  #place; #told; #zoom = 1; #centre = [0.5, 0.5]; #touches = new Map(); #isSpaceHeld = false; #panFrom = null;

  // told: { pinch() } when a second finger makes a drag something else.
  constructor(place, told) {
    this.#place = place;
    this.#told = told;
    const early = { capture: true };
    place.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    place.addEventListener("pointerdown", (event) => this.#onDown(event), early);
    place.addEventListener("pointermove", (event) => this.#onMove(event), early);
    for (const name of ["pointerup", "pointercancel"]) place.addEventListener(name, (event) => this.#onUp(event), early);
    for (const [name, isHeld] of [["keydown", true], ["keyup", false]]) {
      place.addEventListener(name, (event) => event.key === " " && this.#holdSpace(event, isHeld));
    }
    this.#apply();
  }

  get isNear() {
    return this.#zoom > 1;
  }

  nearer() {
    this.#zoomTo(this.#zoom * STEP);
  }

  farther() {
    this.#zoomTo(this.#zoom / STEP);
  }

  whole() {
    this.#zoomTo(1);
  }

  // Look at one box, and at some of what is around it.
  lookAt([x0, y0, x1, y1]) {
    this.#centre = [(x0 + x1) / 2, (y0 + y1) / 2];
    this.#zoomTo(OF_PLACE / Math.max(x1 - x0, y1 - y0));
  }

  // Move on by a share of what is seen; false when all of the picture is.
  pan(dx, dy) {
    if (!this.isNear) return false;
    this.#centre = [this.#centre[0] + dx / this.#zoom, this.#centre[1] + dy / this.#zoom];
    this.#apply();
    return true;
  }

  get #frame() {
    return this.#place.querySelector(".stage__frame");
  }

  // Zoom so that what is at (x, y) of the picture stays where it is on the screen.
  #zoomTo(zoom, [x, y] = this.#centre) {
    const before = this.#zoom;
    this.#zoom = clamp(zoom, 1, MOST);
    const kept = before / this.#zoom;
    this.#centre = [x - (x - this.#centre[0]) * kept, y - (y - this.#centre[1]) * kept];
    this.#apply();
  }

  #apply() {
    // No farther than where the picture's edge meets the place's.
    const margin = 0.5 / this.#zoom;
    this.#centre = this.#centre.map((at) => clamp(at, margin, 1 - margin));
    const [x, y] = this.#centre;
    this.#place.style.setProperty("--zoom", this.#zoom);
    this.#place.style.setProperty("--x", x);
    this.#place.style.setProperty("--y", y);
    this.#place.classList.toggle("is-near", this.isNear);
  }

  #pointOf({ clientX, clientY }) {
    const { left, top, width, height } = this.#frame.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  #onWheel(event) {
    if (!this.#frame) return;
    event.preventDefault();
    const way = event.deltaY * (event.deltaMode ? 16 : 1) * (event.ctrlKey ? 6 : 1); // a pinch on a touchpad is small
    this.#zoomTo(this.#zoom * Math.exp(-way * OF_WHEEL), this.#pointOf(event));
  }

  #onDown(event) {
    if (!this.#frame || !event.isTrusted) return;
    if (event.pointerType === "touch") {
      this.#touches.set(event.pointerId, event);
      if (this.#touches.size < 2) return;
      this.#told.pinch();
    } else if (event.button === 1 || (event.button === 0 && this.#isSpaceHeld)) {
      this.#panFrom = event;
      this.#place.setPointerCapture(event.pointerId);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #onMove(event) {
    if (this.#panFrom) {
      this.#follow(this.#panFrom, event);
      this.#panFrom = event;
    } else if (this.#touches.has(event.pointerId)) {
      const before = [...this.#touches.values()];
      this.#touches.set(event.pointerId, event);
      if (this.#touches.size < 2) return;
      this.#pinch(before, [...this.#touches.values()]);
    } else {
      return;
    }
    event.stopPropagation();
  }

  #onUp(event) {
    this.#touches.delete(event.pointerId);
    if (this.#panFrom?.pointerId === event.pointerId) this.#panFrom = null;
  }

  #follow(from, to) {
    const [x0, y0] = this.#pointOf(from), [x1, y1] = this.#pointOf(to);
    this.#centre = [this.#centre[0] + x0 - x1, this.#centre[1] + y0 - y1];
    this.#apply();
  }

  #pinch(before, after) {
    const apart = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const middle = ([a, b]) => ({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    this.#follow(middle(before), middle(after));
    this.#zoomTo(this.#zoom * (apart(after) / (apart(before) || 1)), this.#pointOf(middle(after)));
  }

  #holdSpace(event, isHeld) {
    this.#isSpaceHeld = isHeld;
    this.#place.classList.toggle("is-panning", isHeld);
    event.preventDefault(); // the page would scroll
  }
}
