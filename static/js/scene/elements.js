// Making elements of the panel in few words.
import { icon } from "../icon.js";

// h("input", { class: "input", value: 3, onInput: f }, ...children); null attributes are left out.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "value" || key === "checked" || key === "selected") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child ?? false));
  return element;
}

export function iconButton(name, label, onClick, attributes = {}) {
  const look = "button button--quiet button--icon button--small";
  return h("button", { type: "button", class: look, "aria-label": label, title: label, onClick, ...attributes }, icon(name));
}

// options: [[value, words]].
export function select(options, value, onChange, attributes = {}) {
  const list = options.map(([each, words]) => h("option", { value: each, selected: String(each) === String(value) }, words));
  return h("select", { class: "input input--small", onChange: ({ target }) => onChange(target.value), ...attributes }, ...list);
}

// A number that is told only while it is one, within its limits.
export function number(value, { min, max, step = "any" }, onInput, attributes = {}) {
  return h("input", {
    type: "number", class: "input input--small scene-number", value, min, max, step,
    onInput: ({ target }) => {
      const isGood = target.value !== "" && target.validity.valid;
      target.setAttribute("aria-invalid", String(!isGood));
      if (isGood) onInput(target.valueAsNumber);
    },
    ...attributes,
  });
}

export function error(words) {
  return h("p", { class: "field__error", role: "alert" }, icon("error"), words);
}

// Rebuilds the content of `root`; whoever has the focus there keeps it, by `data-focus`.
export function rebuild(root, children) {
  const held = root.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  root.replaceChildren(...children);
  if (held) root.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}
