// Shapes as SVG elements, in pixels of the picture; `unit` is one pixel of the screen in those.
import { onVideo } from "../colours.js";
import { arrowAcross, middle } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLE = 6, REACH = 16, ARROW = 26;
const COLOURS = { hidden: "#c4c9d2", region: "#ffffff" };

export function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// The same in the picture and in the lists.
export function colourOf(shape, editing) {
  return COLOURS[shape.kind] ?? onVideo(editing.shapes.filter(({ kind }) => kind in COLOURS === false).indexOf(shape));
}

export function shapeGroup(shape, { size, unit, isSelected, colour, label }) {
  const group = svg("g", {
    class: `shape shape--${shape.kind}${isSelected ? " is-selected" : ""}`,
    "data-id": shape.id, "data-key": `${shape.id} `, tabindex: 0, role: "button", "aria-label": label,
    "aria-pressed": isSelected, style: `--colour: ${colour}`,
  });
  const points = pixels(shape.points, size);
  if (shape.kind === "region") group.append(outside(points, size));
  group.append(outline(shape.kind, points, "shape__reach", { "stroke-width": REACH * unit }));
  group.append(outline(shape.kind, points, "shape__edge"));
  if (shape.kind === "line") group.append(arrow(shape.points, size, unit));
  if (shape.name) group.append(caption(shape, points, unit, size));
  return group;
}

export function corners(shape, { size, unit, corner, colour, mayAdd }) {
  const places = pixels(shape.points, size);
  const style = `--colour: ${colour}`;
  const middles = mayAdd ? places.map((_, after) => {
    const [[x, y]] = pixels([middle(shape, after)], size);
    return svg("g", { class: "adder", "data-id": shape.id, "data-after": after, style },
      svg("circle", { class: "handle__reach", cx: x, cy: y, r: REACH * 0.75 * unit }),
      svg("circle", { class: "adder__dot", cx: x, cy: y, r: HANDLE * 0.6 * unit }));
  }) : [];
  const handles = places.map(([x, y], index) => svg("g", {
    class: `handle${index === corner ? " is-held" : ""}`,
    "data-id": shape.id, "data-corner": index, "data-key": `${shape.id} ${index}`, tabindex: 0, role: "button",
    "aria-label": cornerWords(shape, index), style,
  },
  svg("circle", { class: "handle__reach", cx: x, cy: y, r: REACH * unit }),
  svg("circle", { class: "handle__dot", cx: x, cy: y, r: HANDLE * unit })));
  return [...middles, ...handles];
}

export function draftShape(draft, { size, unit }) {
  const placed = pixels(draft.points, size);
  const next = draft.preview && draft.isBegun ? pixels([draft.preview], size) : [];
  const isClosed = draft.preview === null && draft.kind !== "line";
  const group = svg("g", { class: "draft" });
  group.append(svg(isClosed ? "polygon" : "polyline", { class: "draft__edge", points: join([...placed, ...next]) }));
  for (const [index, [x, y]] of placed.entries()) {
    const isEnd = index === 0 && draft.isClosable;
    group.append(svg("circle", { class: `draft__dot${isEnd ? " is-end" : ""}`, cx: x, cy: y, r: (isEnd ? 8 : 5) * unit }));
  }
  return group;
}

function cornerWords({ kind, name, points }, index) {
  const [x, y] = points[index].map((share) => Math.round(share * 100));
  const what = kind === "line" ? ["Start", "End"][index] : `Corner ${index + 1}`;
  return `${what}${name ? ` of ${name}` : ""}, ${x} % from left, ${y} % from top`;
}

function outline(kind, points, name, attributes = {}) {
  return svg(kind === "line" ? "polyline" : "polygon", { class: name, points: join(points), ...attributes });
}

// All that is not looked at, darkened.
function outside(points, { width, height }) {
  const frame = `M0 0H${width}V${height}H0Z`;
  return svg("path", { class: "shape__outside", "fill-rule": "evenodd", d: `${frame}M${points.map((p) => p.join(" ")).join("L")}Z` });
}

function arrow(points, size, unit) {
  const { from, to } = arrowAcross(points, size, ARROW * unit);
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const barb = (turn) => [to[0] - Math.cos(angle + turn) * 10 * unit, to[1] - Math.sin(angle + turn) * 10 * unit];
  return svg("polyline", { class: "shape__arrow", points: join([from, to, barb(0.5), to, barb(-0.5)]) });
}

function caption({ kind, name }, points, unit, { width }) {
  const top = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  const [x, y] = kind === "line" ? points[0] : top;
  const isRight = x > width * 0.75;
  return svg("text", {
    class: "shape__name", x: x + (isRight ? -1 : 1) * 10 * unit, y: Math.max(y - 10 * unit, 18 * unit),
    "font-size": 13 * unit, "stroke-width": 3 * unit, "text-anchor": isRight ? "end" : "start",
  }, name);
}

function pixels(points, { width, height }) {
  return points.map(([x, y]) => [x * width, y * height]);
}

function join(points) {
  return points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ");
}
