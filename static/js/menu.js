// <details data-menu>: closes on Escape, on a click elsewhere, and when focus leaves it.
import { component } from "./component.js";

component("[data-menu]", (menu) => {
  const closeOutside = (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  };
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("pointerdown", closeOutside);
  return () => document.removeEventListener("pointerdown", closeOutside);
});
