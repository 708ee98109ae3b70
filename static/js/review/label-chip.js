// A class as a button that is pressed or not, in its colour.
import { series } from "./words.js";

export function labelChip(item, name, { isPressed, isReadOnly = false }, press, ...before) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "label-chip";
  chip.disabled = isReadOnly;
  chip.style.setProperty("--series", series(item, name));
  chip.setAttribute("aria-pressed", String(isPressed));
  chip.append(...before, name);
  chip.addEventListener("click", press);
  return chip;
}
