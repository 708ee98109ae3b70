// The picture on the page: as near as one looks at it, with the boxes and their words over it.
import { Overlay } from "./overlay.js";
import { Surface } from "./surface.js";
import { View } from "./view.js";
import { series } from "./words.js";

export class Stage {
  view;
  #place; #surface = null; #overlay = null; #editing = null; #tool = null; #isHidden = false; #hasGhosts = false;

  constructor(place) {
    this.#place = place;
    this.view = new View(place, { pinch: () => this.#giveUpDrag() });
  }

  // Put `image` up with the boxes of `editing`, which hears of what the pointer does.
  mount(image, editing) {
    this.#surface?.destroy();
    this.#editing = editing;
    const { width, height } = editing.item;
    const fit = element("stage__fit"), frame = element("stage__frame");
    fit.style.setProperty("--ratio", width / height);
    frame.append(image);
    fit.append(frame);
    this.#place.replaceChildren(fit);
    this.#surface = new Surface(image, { width, height }, (id, state) => this.#paint(id, state), {
      select: (id) => editing.select(id),
      drag: (id, place) => editing.drag(id, place),
      dragEnd: () => editing.dragEnd(),
      draw: (id, place) => editing.draw(id, place),
    });
    if (editing.isReadOnly) this.#surface.lock();
    this.#overlay = new Overlay(this.#surface.element);
    this.#overlay.hasGhosts = this.#hasGhosts;
    this.#surface.tool = this.#tool;
    this.isHidden = this.#isHidden;
    this.show();
  }

  show(isDragging = false) {
    if (!this.#surface) return;
    if (!isDragging) this.#surface.show(this.#editing.boxes, this.#editing.selected);
    this.#overlay.show(this.#editing);
  }

  clear(content) {
    this.#surface?.destroy();
    this.#surface = null;
    this.#place.replaceChildren(content);
  }

  // What presses draw with: "rectangle", "polygon", or null.
  get tool() {
    return this.#tool;
  }

  set tool(tool) {
    this.#tool = tool;
    if (this.#surface) this.#surface.tool = tool;
  }

  get hasPointTaken() {
    return this.#surface?.hasPointTaken ?? false;
  }

  // Give up what is being drawn; return whether anything was.
  cancelSketch() {
    const isSketching = this.#surface?.isSketching ?? false;
    if (isSketching) this.#surface.cancelSketch();
    return isSketching;
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

  // Whether all that the model saw is shown, as it saw it.
  get hasGhosts() {
    return this.#hasGhosts;
  }

  set hasGhosts(hasGhosts) {
    this.#hasGhosts = hasGhosts;
    if (!this.#surface) return;
    this.#overlay.hasGhosts = hasGhosts;
    this.#overlay.show(this.#editing);
  }

  #giveUpDrag() {
    this.cancelSketch();
    this.#editing.dragEnd({ isGivenUp: true });
  }

  #paint(id, state) {
    const box = this.#editing.boxes.find((each) => each.id === id);
    const stroke = series(this.#editing.item, box?.label ?? this.#editing.label);
    const isUp = state?.selected || state?.hovered;
    return { stroke, strokeWidth: isUp ? 2.5 : 2, fill: stroke, fillOpacity: isUp ? 0.16 : 0.05 };
  }
}

function element(className) {
  const made = document.createElement("div");
  made.className = className;
  return made;
}
