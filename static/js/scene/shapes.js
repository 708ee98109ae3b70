// What is drawn over a picture, as plain immutable objects, and what may become of it. No page.
// A shape is { kind: "zone" | "line" | "hidden" | "region", id, name, points: [[x, y]] }, 0..1 of
// the picture. A region is a rectangle: its corners run clockwise from the upper left.
export const MIN_CORNERS = { zone: 3, hidden: 3, line: 2, region: 4 };
const SMALLEST_REGION = 0.05; // the hub refuses less
const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

export function newShape(kind, points, name = "") {
  return { kind, id: newId(), name, points: points.map(inside) };
}

// Where the page has no secure context, `crypto.randomUUID` is missing.
export function newId() {
  return crypto.randomUUID?.() ?? randomId();
}

// From the hub's document to what is edited; `drawing` is as `webapp.fleet.drawing` has it.
export function fromWire({ scene, region, privacy_zones: hidden }) {
  const isWhole = Object.keys(WHOLE).every((side) => region[side] === WHOLE[side]);
  return {
    shapes: [
      ...scene.zones.map(({ zone_id: id, name, polygon }) => ({ kind: "zone", id, name, points: polygon })),
      ...scene.lines.map(({ line_id: id, name, start, end }) => ({ kind: "line", id, name, points: [start, end] })),
      ...hidden.map((polygon) => nameless("hidden", polygon)),
      ...(isWhole ? [] : [nameless("region", rectangle([region.left, region.top], [region.right, region.bottom]))]),
    ],
    rules: scene.rules,
  };
}

export function toWire({ shapes, rules }, revision) {
  const of = (kind) => shapes.filter((shape) => shape.kind === kind);
  const [region] = of("region").map(({ points: [[left, top], , [right, bottom]] }) => ({ left, top, right, bottom }));
  return {
    revision,
    scene: {
      zones: of("zone").map(({ id, name, points }) => ({ zone_id: id, name, polygon: points })),
      lines: of("line").map(({ id, name, points: [start, end] }) => ({ line_id: id, name, start, end })),
      rules,
    },
    region: region ?? WHOLE,
    privacy_zones: of("hidden").map(({ points }) => points),
  };
}

export function rectangle([x0, y0], [x1, y1]) {
  const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)];
  const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]];
}

// A corner put elsewhere; of a rectangle its neighbours come along, and it never turns over.
export function cornerAt(shape, corner, point) {
  let [x, y] = inside(point);
  if (shape.kind !== "region") return withPoints(shape, shape.points.map((p, i) => (i === corner ? [x, y] : p)));
  const opposite = shape.points[(corner + 2) % 4];
  const isLeft = corner === 0 || corner === 3, isTop = corner < 2;
  x = isLeft ? Math.min(x, opposite[0] - SMALLEST_REGION) : Math.max(x, opposite[0] + SMALLEST_REGION);
  y = isTop ? Math.min(y, opposite[1] - SMALLEST_REGION) : Math.max(y, opposite[1] + SMALLEST_REGION);
  return withPoints(shape, rectangle([x, y], opposite));
}

// All of it moved, never beyond the picture's edges.
export function moved(shape, dx, dy) {
  const xs = shape.points.map(([x]) => x), ys = shape.points.map(([, y]) => y);
  const sx = clamp(dx, -Math.min(...xs), 1 - Math.max(...xs));
  const sy = clamp(dy, -Math.min(...ys), 1 - Math.max(...ys));
  return withPoints(shape, shape.points.map(([x, y]) => inside([x + sx, y + sy])));
}

export function middle(shape, corner) {
  const [x0, y0] = shape.points[corner];
  const [x1, y1] = shape.points[(corner + 1) % shape.points.length];
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

export function withCorner(shape, after, point = middle(shape, after)) {
  return withPoints(shape, shape.points.toSpliced(after + 1, 0, inside(point)));
}

// Without a corner; null when too few would be left.
export function withoutCorner(shape, corner) {
  if (shape.points.length <= MIN_CORNERS[shape.kind]) return null;
  return withPoints(shape, shape.points.toSpliced(corner, 1));
}

export function turnedRound(shape) {
  return withPoints(shape, shape.points.toReversed());
}

export function hasCornersToAdd(shape, limit) {
  return (shape.kind === "zone" || shape.kind === "hidden") && shape.points.length < limit;
}

// In pixels of the picture: where forward begins and ends, across the middle of a line. Forward is
// from its left to its right, seen from its start.
export function arrowAcross([[x0, y0], [x1, y1]], { width, height }, length) {
  const dx = (x1 - x0) * width, dy = (y1 - y0) * height, far = Math.hypot(dx, dy) || 1;
  const along = [(-dy / far) * length, (dx / far) * length];
  const at = [((x0 + x1) / 2) * width, ((y0 + y1) / 2) * height];
  return { from: [at[0] - along[0] * 0.4, at[1] - along[1] * 0.4], to: [at[0] + along[0], at[1] + along[1]] };
}

// Too thin to be seen, or to be meant.
export function isSlip(kind, points) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const width = Math.max(...xs) - Math.min(...xs), height = Math.max(...ys) - Math.min(...ys);
  if (kind === "line") return Math.hypot(width, height) < 0.01;
  const least = kind === "region" ? SMALLEST_REGION : 0.01;
  return width < least || height < least;
}

// As the hub has it, to the last digit.
function nameless(kind, points) {
  return { kind, id: newId(), name: "", points };
}

function withPoints(shape, points) {
  return { ...shape, points };
}

function inside([x, y]) {
  return [round(clamp(x, 0, 1)), round(clamp(y, 0, 1))];
}

function round(share) {
  return Math.round(share * 10000) / 10000; // finer than any pixel
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
