// <button data-copy="#id">: copies that element's text.
import { component } from "./component.js";
import { toast } from "./toasts.js";

component("[data-copy]", (button) => {
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      toast("Copied.");
    } catch {
      // Without permission: select it, so that one keystroke does.
      getSelection().selectAllChildren(source);
      toast("Press Ctrl+C to copy.", "warn");
    }
  });
});
