// Weights of a model's versions: what the split will be is shown while one types, before it is saved.
import { component } from "../component.js";

component("[data-route]", (form) => {
  const rows = [...form.querySelectorAll("[data-version]")].map((row) => ({
    hasFailed: "failed" in row.dataset,
    weight: row.querySelector("input[type=number]"),
    shadow: row.querySelector("input[type=checkbox]"),
    bar: row.querySelector("[data-bar]"),
    share: row.querySelector("[data-share]"),
  }));
  const end = form.querySelector("[data-end]");
  if (!end) return;
  const said = end.querySelector("[data-said]");
  const save = end.querySelector(".button--primary");

  const isDirty = () => rows.some(({ weight, shadow }) => weight.value !== weight.defaultValue || shadow.checked !== shadow.defaultChecked);
  const counted = ({ hasFailed, weight, shadow }) => (hasFailed || shadow.checked ? 0 : Math.max(weight.valueAsNumber || 0, 0));

  function preview() {
    const total = rows.reduce((sum, row) => sum + counted(row), 0);
    for (const row of rows) {
      const percent = total ? (100 * counted(row)) / total : 0;
      row.bar.value = percent;
      row.share.textContent = row.shadow.checked ? "copies only" : `${Math.round(percent)} %`;
    }
    form.classList.toggle("is-dirty", isDirty());
    end.hidden = !isDirty();
    save.disabled = !total;
    said.textContent = total ? "Not saved yet." : "At least one version must answer.";
  }

  form.addEventListener("input", preview);
  form.addEventListener("reset", () => setTimeout(preview)); // it has not been reset yet
});

// What is fetched by itself does not take away what somebody is about to save, or the place of the keyboard.
component("[data-standing]", (standing) => {
  standing.addEventListener("htmx:beforeSwap", (event) => {
    const isSaved = event.detail.requestConfig?.verb === "post";
    const isBusy = standing.querySelector("[data-route].is-dirty") || standing.contains(document.activeElement);
    if (!isSaved && isBusy) event.detail.shouldSwap = false;
  });
});
