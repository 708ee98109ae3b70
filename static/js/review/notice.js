// One message above the picture that stays until it is dealt with, with what can be done about it.
export class Notice {
  #element; #words; #actions;

  constructor(element) {
    this.#element = element;
    this.#words = element.querySelector("[data-words]");
    this.#actions = element.querySelector("[data-choices]");
  }

  // actions: [[label, press, isPrimary]].
  show(words, actions = [], tone = "warn") {
    this.#words.textContent = words;
    this.#element.className = `notice notice--${tone} editor__notice`;
    this.#actions.replaceChildren(...actions.map(([label, press, isPrimary = false]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `button button--small${isPrimary ? " button--primary" : ""}`;
      button.textContent = label;
      button.addEventListener("click", press);
      return button;
    }));
    this.#element.hidden = false;
  }

  hide() {
    this.#element.hidden = true;
  }
}
