// Zones and lines of a camera, drawn thinly over its live picture. What they mean is on the page of
// the editor; here they only show where.
import { component } from "../component.js";
import { onVideo } from "../colours.js";
import { svg } from "./paint.js";
import { arrowAcross, fromWire } from "./shapes.js";

const HIDDEN_KEY = "farwatch.scene-hidden";
const ARROW_SHARE = 0.03; // of the picture's width

function drawn({ shapes }, size) {
  const places = (points) => points.map(([x, y]) => `${x * size.width},${y * size.height}`).join(" ");
  let named = 0;
  return shapes.flatMap(({ kind, name, points }) => {
    const isNamed = kind === "zone" || kind === "line";
    const style = `--colour: ${isNamed ? onVideo(named++) : "#c4c9d2"}`;
    const [x, y] = kind === "line" ? points[0] : points.reduce((top, point) => (point[1] < top[1] ? point : top));
    const { from, to } = arrowAcross(points, size, ARROW_SHARE * size.width);
    return [
      svg(kind === "line" ? "polyline" : "polygon", { class: `overlay__${kind}`, points: places(points), style }),
      ...(kind === "line" ? [
        svg("line", { class: "overlay__line", x1: from[0], y1: from[1], x2: to[0], y2: to[1], style }),
        svg("circle", { class: "overlay__tip", cx: to[0], cy: to[1], r: 0.006 * size.width, style }),
      ] : []),
      ...(isNamed ? [svg("text", {
        class: "overlay__name", x: Math.min(x, 0.85) * size.width, y: Math.max(y * size.height - 6, 0.035 * size.width),
        "font-size": 0.02 * size.width, style,
      }, name)] : []),
    ];
  });
}

component("[data-scene-overlay]", (element) => {
  const scene = fromWire(JSON.parse(document.querySelector("#scene-drawing").textContent));
  const picture = element.parentElement.querySelector("[data-picture]");
  const toggle = document.querySelector("[data-toggle-scene]");
  // Of the live picture once there is one: its shape is what the drawing must fit.
  const draw = (size) => {
    element.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    element.replaceChildren(...drawn(scene, size));
  };
  const show = (isOn) => {
    element.toggleAttribute("hidden", !isOn);
    toggle?.setAttribute("aria-pressed", String(isOn));
  };
  toggle?.addEventListener("click", () => {
    const isOn = toggle.getAttribute("aria-pressed") !== "true";
    show(isOn);
    if (isOn) localStorage.removeItem(HIDDEN_KEY);
    else localStorage.setItem(HIDDEN_KEY, "yes");
  });
  const watcher = new MutationObserver(() => draw(picture));
  watcher.observe(picture, { attributes: true, attributeFilter: ["width", "height"] });
  draw({ width: Number(element.dataset.width), height: Number(element.dataset.height) });
  show(localStorage.getItem(HIDDEN_KEY) === null);
  return () => watcher.disconnect();
});
