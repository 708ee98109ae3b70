// Choosing a class by typing some of its name: a combobox in a dialog.
import { series } from "./words.js";

export class Picker {
  #dialog; #input; #list; #item = null; #chosen = null; #current = 0;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector("input");
    this.#list = dialog.querySelector("[role=listbox]");
    this.#input.addEventListener("input", () => this.#filter());
    this.#input.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // keep typing
    this.#list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(option);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  // Ask for one of the item's classes; `chosen(label)` hears of it, unless it is given up.
  open(item, label, chosen) {
    this.#item = item;
    this.#chosen = chosen;
    this.#input.value = "";
    this.#filter(label);
    this.#dialog.showModal();
    this.#input.focus();
  }

  #filter(label = null) {
    const { labels, frequent_labels: frequent } = this.#item;
    const typed = this.#input.value.trim().toLowerCase();
    const rank = (name) => {
      const at = name.toLowerCase().indexOf(typed);
      return at < 0 ? Infinity : at + (frequent.includes(name) ? frequent.indexOf(name) / 100 : 1);
    };
    const found = labels.filter((name) => rank(name) < Infinity).sort((a, b) => rank(a) - rank(b));
    this.#list.replaceChildren(...found.map((name, index) => this.#option(name, index)));
    this.#dialog.querySelector("[data-none]").hidden = found.length > 0;
    this.#mark(Math.max(0, found.indexOf(label)));
  }

  #option(name, index) {
    const option = document.createElement("li");
    option.id = `picker-option-${index}`;
    option.setAttribute("role", "option");
    option.className = "picker__option";
    option.dataset.label = name;
    option.style.setProperty("--series", series(this.#item, name));
    option.append(name);
    const key = this.#item.frequent_labels.indexOf(name);
    if (key >= 0) {
      const cap = document.createElement("kbd");
      cap.textContent = key + 1;
      option.append(cap);
    }
    return option;
  }

  #mark(index) {
    const options = [...this.#list.children];
    this.#current = Math.min(Math.max(index, 0), Math.max(options.length - 1, 0));
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.#current)));
    const current = options[this.#current];
    this.#input.setAttribute("aria-activedescendant", current?.id ?? "");
    current?.scrollIntoView({ block: "nearest" });
  }

  #onKey(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) this.#mark(this.#current + steps[event.key]);
    else if (event.key === "Enter") this.#choose(this.#list.children[this.#current]);
    else return;
    event.preventDefault();
  }

  #choose(option) {
    if (!option) return;
    this.#dialog.close();
    this.#chosen(option.dataset.label);
  }
}
