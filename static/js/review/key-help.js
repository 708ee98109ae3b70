// The help's list of keys, in which each can be given another one.
import { capsOf, combinationOf } from "./keys.js";

export class KeyHelp {
  #keys; #list; #reset; #says; #changed;

  // `changed()` hears when a key was given or all were reset.
  constructor(dialog, keys, changed) {
    this.#keys = keys;
    this.#list = dialog.querySelector("[data-keys]");
    this.#reset = dialog.querySelector("[data-reset]");
    this.#says = dialog.querySelector("[data-says]");
    this.#changed = changed;
    this.#reset.addEventListener("click", () => {
      keys.reset();
      this.#say("All keys are as they were at first.");
    });
    this.show();
  }

  show() {
    const groups = new Map();
    for (const row of this.#keys.bindings) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
    this.#list.replaceChildren(...[...groups].map(([name, rows]) => this.#section(name, rows)));
    this.#reset.hidden = !this.#keys.areChosen;
  }

  #section(name, rows) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = name;
    const list = document.createElement("dl");
    for (const row of rows) {
      const keys = document.createElement("dt");
      keys.append(row.name === null ? fixedCaps(row) : this.#button(row));
      const words = document.createElement("dd");
      words.textContent = row.does;
      list.append(keys, words);
    }
    section.append(title, list);
    return section;
  }

  #button({ name, keys, does }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "rebind";
    button.dataset.deed = name;
    button.append(...(keys.length ? keys.flatMap((key, at) => [...(at ? [" or "] : []), ...capsOf(key)]) : ["no key"]));
    const deed = document.createElement("span");
    deed.className = "sr-only";
    deed.textContent = ` ${does}: change`;
    button.append(deed);
    button.addEventListener("click", () => this.#ask(button, name));
    return button;
  }

  #ask(button, name) {
    button.replaceChildren("Press a key…");
    button.classList.add("is-asking");
    const done = () => {
      window.removeEventListener("keydown", onKey, { capture: true });
      button.removeEventListener("blur", done);
      this.show();
      this.#list.querySelector(`[data-deed="${name}"]`)?.focus();
    };
    const onKey = (event) => {
      const combination = combinationOf(event);
      event.preventDefault();
      event.stopImmediatePropagation();
      if (combination === null) return;
      const owner = combination === "Escape" ? null : this.#keys.bind(name, combination);
      if (owner) this.#say(`That key is taken: ${owner}.`);
      else if (combination !== "Escape") this.#say("");
      done();
    };
    window.addEventListener("keydown", onKey, { capture: true });
    button.addEventListener("blur", done);
  }

  #say(text) {
    this.#says.textContent = text;
    this.show();
    this.#changed();
  }
}

function fixedCaps({ shown }) {
  const caps = document.createDocumentFragment();
  caps.append(...shown.flat().map((word) => {
    const cap = document.createElement("kbd");
    cap.textContent = word;
    return cap;
  }));
  return caps;
}
