// One event's page: the comment is emptied once it is said, keys press the buttons, and what is not
// to be seen on the page is told.
import { component } from "../component.js";
import { toast } from "../toasts.js";

component("[data-event-say]", (form) => {
  const text = form.querySelector("textarea");
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful) form.reset();
    else if (detail.xhr.status === 422) toast(JSON.parse(detail.xhr.responseText).detail, "warn");
  });
  // A refusal is no fragment to be shown.
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) event.detail.shouldSwap = false;
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
  document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
});
document.body.addEventListener("fw:say", ({ detail }) => toast(detail.words));
