// What Annotorious does not draw: the class beside each box, the corner that arrows move, and where
// the model had put a box that was since changed or removed (or every box, if one asks for it).
// Placed in per cent of the picture, out of the pointer's way.
import { CORNERS, fateOf } from "./boxes.js";
import { percent, series } from "./words.js";

const TOP_ROOM = 0.07; // above this a caption would leave the picture
const RIGHT_ROOM = 0.3; // in less, one that begins at the left of its box would

export class Overlay {
  hasGhosts = false;
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
    this.#element.replaceChildren(...this.#ghosts(editing), ...captions.values(), ...corner(editing));
  }

  set isVisible(isVisible) {
    this.#element.hidden = !isVisible;
  }

  #caption(box, item, isSelected) {
    const caption = this.#captions.get(box.id) ?? document.createElement("div");
    const [x0, y0, x1] = box.xyxy;
    const isAtEnd = x0 > 1 - RIGHT_ROOM;
    const across = isAtEnd ? `right:${100 * (1 - x1)}%` : `left:${100 * x0}%`;
    const seen = item.predictions[box.prediction];
    const isInside = y0 < TOP_ROOM;
    caption.className = "caption";
    caption.classList.toggle("caption--inside", isInside);
    caption.classList.toggle("caption--end", isAtEnd);
    caption.classList.toggle("caption--selected", isSelected);
    caption.style.cssText = `${across};top:${100 * y0}%;--series:${series(item, box.label)}`;
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
    const shown = this.hasGhosts ? [...item.predictions.keys()] : [...changed, ...removed];
    return shown.map((index) => {
      const { xyxy: [x0, y0, x1, y1], label, score } = item.predictions[index];
      const ghost = document.createElement("div");
      ghost.className = removed.includes(index) ? "ghost ghost--removed" : "ghost";
      ghost.style.cssText = `left:${100 * x0}%;top:${100 * y0}%;width:${100 * (x1 - x0)}%;height:${100 * (y1 - y0)}%`;
      if (this.hasGhosts) ghost.dataset.saw = `${label} ${percent(score)}`;
      return ghost;
    });
  }
}

function corner({ box, corner: index }) {
  if (!box || index === null) return [];
  const [across, down] = CORNERS[index].map((edge) => 100 * box.xyxy[edge]);
  const mark = document.createElement("div");
  mark.className = "corner";
  mark.style.cssText = `left:${across}%;top:${down}%`;
  return [mark];
}
