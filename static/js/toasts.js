// Short messages in the corner: from the server at load, from htmx when a request fails, from us.
import { component } from "./component.js";
import { icon } from "./icon.js";

const SHOWN_MS = 7000;

export function toast(text, tone = "ok") {
  const box = document.querySelector("[data-toasts]");
  if ([...box.children].some((shown) => shown.textContent.trim() === text)) return;
  const element = document.createElement("div");
  element.className = `toast toast--${tone}`;
  element.dataset.toast = "";
  const words = document.createElement("p");
  words.className = "toast__text";
  words.textContent = text;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button button--quiet button--icon button--small";
  dismiss.setAttribute("aria-label", "Dismiss");
  dismiss.dataset.dismiss = "";
  dismiss.append(icon("x"));
  element.append(icon({ ok: "ok", warn: "warning", err: "error" }[tone]), words, dismiss);
  box.append(element);
  leaveLater(element);
}

function leaveLater(element) {
  element.querySelector("[data-dismiss]").addEventListener("click", () => element.remove());
  let timer = 0;
  const start = () => (timer = setTimeout(() => element.remove(), SHOWN_MS));
  const stop = () => clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, start);
  start();
}

component("[data-toast]", leaveLater);

// What the page asks by itself fails silently: the connection's state says it already.
function isAskedByPerson({ detail }) {
  return ["click", "submit", "change"].includes(detail.requestConfig?.triggeringEvent?.type);
}

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (!isAskedByPerson(event)) return;
  if (status === 403) toast("You may not do that.", "err");
  else if (status >= 500) toast("The hub had a problem; nothing was changed.", "err");
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (isAskedByPerson(event)) toast("The hub does not answer. Try again in a moment.", "warn");
  });
}

// A session that ended answers every request with the login page: go there as a whole.
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL || location.href);
  if (answered.pathname !== "/login/") return;
  event.detail.shouldSwap = false;
  location.reload();
});
