// The theme toggle. Choosing what the system has anyway means: follow the system.
import { component } from "./component.js";

const KEY = "farwatch.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function currentTheme() {
  return document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light");
}

function choose(theme) {
  const root = document.documentElement;
  const isSystems = theme === (system.matches ? "dark" : "light");
  if (isSystems) delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (isSystems) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Not kept then; it holds for this page.
  }
  announce();
}

function announce() {
  document.body.dispatchEvent(new CustomEvent("fw:theme", { detail: currentTheme() }));
}

system.addEventListener("change", announce);

component("[data-theme-toggle]", (button) => {
  const describe = () => {
    const other = currentTheme() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Change to ${other} theme`);
    button.dataset.current = currentTheme();
  };
  const onTheme = () => describe();
  document.body.addEventListener("fw:theme", onTheme);
  button.addEventListener("click", () => choose(currentTheme() === "dark" ? "light" : "dark"));
  describe();
  return () => document.body.removeEventListener("fw:theme", onTheme);
});
