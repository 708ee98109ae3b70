// Brightness and contrast of what is looked at: for eyes alone, the picture stays as it is.
const STEP = 0.1, LEAST = 0.3, MOST = 3;

export class Light {
  #place; #sliders; #values = { brightness: 1, contrast: 1 };

  // `panel` has a slider for each, by its name, and a button that resets both.
  constructor(place, panel) {
    this.#place = place;
    this.#sliders = [...panel.querySelectorAll("input[type=range]")];
    for (const slider of this.#sliders) {
      slider.addEventListener("input", () => this.#set(slider.name, Number(slider.value)));
    }
    panel.querySelector("[data-reset]").addEventListener("click", () => this.reset());
  }

  // Change one by so many steps; return it in per cent.
  step(name, steps) {
    this.#set(name, Math.min(MOST, Math.max(LEAST, this.#values[name] + steps * STEP)));
    return Math.round(100 * this.#values[name]);
  }

  reset() {
    this.#set("brightness", 1);
    this.#set("contrast", 1);
  }

  #set(name, value) {
    this.#values[name] = value;
    this.#place.style.setProperty(`--${name}`, value);
    const isLit = Object.values(this.#values).some((each) => each !== 1);
    this.#place.classList.toggle("is-lit", isLit); // a filter costs, even one that changes nothing
    for (const slider of this.#sliders) if (slider.name === name) slider.value = value;
  }
}
