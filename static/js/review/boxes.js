// Boxes as plain, immutable objects and what may become of them. No page, no network.
// A box is { id, xyxy: [x0, y0, x1, y1] (0..1 of the picture), polygon: [[x, y], …] or null (an
// outline, whose bounds are `xyxy`), label, prediction: index or null }.
export const MIN_PX = 1;
const UNIT = 65535; // one value on the wire: finer than any pixel
const SAME_THING_IOU = 0.5;

let made = 0;

export function newId() {
  made += 1;
  return `box-${made}`;
}

// The boxes an item begins with, each tied to the prediction it stands for.
export function boxesOf(item, saved = item.boxes) {
  const free = new Set(item.predictions.keys());
  const boxes = saved.map(({ xyxy, polygon = null, label, prediction = null }) => {
    free.delete(prediction); // a draft knows
    return { id: newId(), xyxy, polygon, label, prediction };
  });
  for (const fits of [isSame, isOneThing]) {
    for (const box of boxes) {
      if (box.prediction !== null) continue;
      const found = [...free].find((index) => fits(box, item.predictions[index]));
      if (found === undefined) continue;
      box.prediction = found;
      free.delete(found);
    }
  }
  return boxes;
}

export function isSame(box, other) {
  return box.label === other.label && isSamePlace(box, other);
}

export function isSamePlace(box, other) {
  const values = (one) => [...one.xyxy, ...(one.polygon ?? []).flat()].map((v) => Math.round(v * UNIT));
  const mine = values(box), theirs = values(other);
  return mine.length === theirs.length && mine.every((value, index) => value === theirs[index]);
}

// Whether both most likely mark one thing, whatever they call it.
export function isOneThing(box, other) {
  return iou(box.xyxy, other.xyxy) >= SAME_THING_IOU;
}

// What the labeler made of a box: "kept", "moved", "reclassed", "changed" (both) or "new".
export function fateOf(box, predictions) {
  const seen = predictions[box.prediction];
  if (!seen) return "new";
  const isMoved = !isSamePlace(box, seen);
  if (isMoved) return box.label === seen.label ? "moved" : "changed";
  return box.label === seen.label ? "kept" : "reclassed";
}

// Indexes of predictions that no box stands for any more.
export function removedFrom(boxes, predictions) {
  const standing = new Set(boxes.map((box) => box.prediction));
  return predictions.map((_, index) => index).filter((index) => !standing.has(index));
}

// The same box with other bounds; an outline is stretched with them.
export function placed(box, xyxy) {
  const [x0, y0, x1, y1] = box.xyxy, [left, top, right, bottom] = xyxy;
  const across = (right - left) / (x1 - x0), down = (bottom - top) / (y1 - y0);
  const polygon = box.polygon?.map(([x, y]) => [left + (x - x0) * across, top + (y - y0) * down]) ?? null;
  return { ...box, xyxy, polygon };
}

// Moved by whole pixels of the picture, never beyond its edges.
export function moved(box, dx, dy, { width, height }) {
  const [x0, y0, x1, y1] = box.xyxy;
  const sx = clamp(dx / width, -x0, 1 - x1), sy = clamp(dy / height, -y0, 1 - y1);
  return placed(box, [x0 + sx, y0 + sy, x1 + sx, y1 + sy]);
}

// Corners, clockwise from the top left: which edges (of `xyxy`) meet there.
export const CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]];
export const BOTTOM_RIGHT = 2;

// One corner moved by whole pixels; a box keeps at least a pixel.
export function resized(box, corner, dx, dy, { width, height }) {
  const xyxy = [...box.xyxy];
  for (const [edge, step, size] of [[CORNERS[corner][0], dx, width], [CORNERS[corner][1], dy, height]]) {
    const opposite = xyxy[(edge + 2) % 4], least = MIN_PX / size;
    const range = edge < 2 ? [0, opposite - least] : [opposite + least, 1];
    xyxy[edge] = clamp(xyxy[edge] + step / size, ...range);
  }
  return placed(box, xyxy);
}

// A box in the middle, a fifth of the picture; `shift` keeps a second one from hiding the first.
export function inTheMiddle(label, shift = 0) {
  const at = 0.4 + 0.02 * (shift % 10);
  return { id: newId(), xyxy: [at, at, at + 0.2, at + 0.2], polygon: null, label, prediction: null };
}

// The boxes of another picture as new ones of this one, without those that are marked here already.
export function repeated(others, boxes, labels) {
  return others
    .filter((other) => labels.includes(other.label) && !boxes.some((box) => isOneThing(box, other)))
    .map(({ xyxy, polygon, label }) => ({ id: newId(), xyxy, polygon, label, prediction: null }));
}

// Pixels { x, y, w, h } of the picture to a place in it, inside its edges, at least a pixel wide.
export function fromPixels({ x, y, w, h }, { width, height }) {
  const side = (low, size, whole) => {
    const from = clamp(low / whole, 0, 1 - MIN_PX / whole);
    return [from, clamp((low + size) / whole, from + MIN_PX / whole, 1)];
  };
  const [x0, x1] = side(x, w, width), [y0, y1] = side(y, h, height);
  return [x0, y0, x1, y1];
}

export function toPixels([x0, y0, x1, y1], { width, height }) {
  return { x: x0 * width, y: y0 * height, w: (x1 - x0) * width, h: (y1 - y0) * height };
}

// Points in pixels to an outline inside the picture and its bounds.
export function outlined(points, { width, height }) {
  const polygon = points.map(([x, y]) => [clamp(x / width, 0, 1), clamp(y / height, 0, 1)]);
  const xs = polygon.map(([x]) => x), ys = polygon.map(([, y]) => y);
  return { xyxy: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], polygon };
}

// Edges that a pointer did not touch keep their exact value through the way to pixels and back.
export function settled(before, after, { width, height }) {
  const size = [width, height, width, height];
  return after.map((v, edge) => (Math.abs(v - before[edge]) * size[edge] < 1e-6 ? before[edge] : v));
}

// The smallest box around a point: what a person means when boxes lie over one another.
export function boxAt(boxes, x, y, slackX = 0, slackY = 0) {
  const area = ({ xyxy: [x0, y0, x1, y1] }) => (x1 - x0) * (y1 - y0);
  return boxes
    .filter(({ xyxy: [x0, y0, x1, y1] }) =>
      x >= x0 - slackX && x <= x1 + slackX && y >= y0 - slackY && y <= y1 + slackY)
    .sort((a, b) => area(a) - area(b))[0];
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

export function iou(a, b) {
  const across = (low, high) => Math.max(0, Math.min(a[high], b[high]) - Math.max(a[low], b[low]));
  const shared = across(0, 2) * across(1, 3);
  const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);
  return shared / (area(a) + area(b) - shared || 1);
}
