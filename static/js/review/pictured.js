// A small picture with somebody's boxes over it, to compare with others.
import { isOneThing } from "./boxes.js";
import { plural, series } from "./words.js";

// `others`: what boxes are compared with; those that have no like among them stand out.
export function pictured(item, { boxes }, others = []) {
  const frame = document.createElement("div");
  frame.className = "pictured";
  frame.style.setProperty("--ratio", item.width / item.height);
  const image = new Image();
  image.src = item.picture_url;
  image.alt = `${plural(boxes.length, "box", "boxes")}: ${boxes.map(({ label }) => label).join(", ") || "none"}`;
  frame.append(image, ...boxes.map((box) => {
    const [x0, y0, x1, y1] = box.xyxy;
    const mark = document.createElement("span");
    mark.className = "pictured__box";
    mark.classList.toggle("is-alone", others.length > 0 && !others.some((other) => isLike(box, other)));
    mark.title = box.label;
    mark.style.cssText = `left:${100 * x0}%;top:${100 * y0}%;width:${100 * (x1 - x0)}%;height:${100 * (y1 - y0)}%;--series:${series(item, box.label)}`;
    return mark;
  }));
  return frame;
}

function isLike(box, other) {
  return box.label === other.label && isOneThing(box, other);
}
