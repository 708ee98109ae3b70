// What Annotorious does not draw: the class beside each box, and where the model had put a box
// that was since changed or removed. Placed in per cent of the picture, out of the pointer's way.
import { fateOf } from "./boxes.js";
import { percent, series } from "./words.js";

const TOP_ROOM = 0.07; // above this a caption would leave the picture

export class Overlay {
  #element = document.createElement("div");
  #captions = new Map();

  constructor(parent) {
    this.#element.className = "overlay";
    this.#element.setAttribute("aria-hidden", "true"); // the list beside says the same
    parent.append(this.#element);
  }

  show(editing) {
    const { boxes, item, selected } = editing;
    const captions = new Map(boxes.map((box) => [box.id, this.#caption(box, item, box.id === selected)]));
    this.#captions = captions;
    this.#element.replaceChildren(...this.#ghosts(editing), ...captions.values());
  }

  set isVisible(isVisible) {
    this.#element.hidden = !isVisible;
  }

  #caption(box, item, isSelected) {
    const caption = this.#captions.get(box.id) ?? document.createElement("div");
    const [x0, y0] = box.xyxy;
    const seen = item.predictions[box.prediction];
    const isInside = y0 < TOP_ROOM;
    caption.className = "caption";
    caption.classList.toggle("caption--inside", isInside);
    caption.classList.toggle("caption--selected", isSelected);
    caption.style.cssText = `left:${100 * x0}%;top:${100 * y0}%;--series:${series(item, box.label)}`;
    const isGuess = seen && fateOf(box, item.predictions) === "kept";
    const mark = box.prediction === item.doubtful ? "?" : "";
    const text = isGuess ? `${box.label} ${percent(seen.score)}${mark}` : box.label;
    if (caption.textContent !== text) caption.textContent = text;
    return caption;
  }

  #ghosts({ boxes, item, removed }) {
    const changed = boxes
      .filter((box) => ["moved", "changed"].includes(fateOf(box, item.predictions)))
      .map(({ prediction }) => prediction);
    return [...changed, ...removed].map((index) => {
      const [x0, y0, x1, y1] = item.predictions[index].xyxy;
      const ghost = document.createElement("div");
      ghost.className = removed.includes(index) ? "ghost ghost--removed" : "ghost";
      ghost.style.cssText = `left:${100 * x0}%;top:${100 * y0}%;width:${100 * (x1 - x0)}%;height:${100 * (y1 - y0)}%`;
      return ghost;
    });
  }
}
