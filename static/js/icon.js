// An icon of static/img/icons.svg, for elements that are made here.
const SVG = "http://www.w3.org/2000/svg";
const sprite = new URL("../img/icons.svg", import.meta.url).pathname;

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
