// The live picture and, over it, the boxes of the same message; both are drawn in one go.
import { BoxPainter } from "./boxes.js";
import { component } from "./component.js";
import { labelOnVideo } from "./colours.js";
import { parsePicture } from "./picture.js";
import { Socket } from "./socket.js";

const STALE_MS = 4000, RATE_MS = 3000;

class LiveView {
  constructor(root) {
    this.root = root;
    for (const part of ["stage", "picture", "overlay", "veil", "veil-text", "readout", "fps", "latency", "classes"]) {
      this[part.replace("-t", "T")] = root.querySelector(`[data-${part}]`);
    }
    this.labels = JSON.parse(root.querySelector("#bundle-labels").textContent);
    this.pixels = this.picture.getContext("2d");
    this.boxes = new BoxPainter(this.overlay);
    this.hidden = new Set();
    this.chips = new Map();
    this.shown = null;
    this.arrivals = [];
    this.lastAt = 0;
    this.skew = Infinity; // this computer's clock less the hub's, as far as counters tell
    const { width, height } = this.stage.dataset;
    if (Number(width) && Number(height)) this.shape(Number(width), Number(height));
    this.#listen();
  }

  #listen() {
    const { root } = this;
    this.resize = new ResizeObserver(() => this.redraw());
    this.resize.observe(this.stage);
    root.querySelector("[data-toggle-boxes]").addEventListener("click", () => this.toggleBoxes());
    root.querySelector("[data-expand]").addEventListener("click", () => this.expand());
    root.querySelector("[data-colour-by]").addEventListener("click", ({ target }) => {
      const chosen = target.closest("button");
      if (chosen) this.colourBy(chosen);
    });
    this.onCounters = ({ detail }) => {
      this.skew = Math.min(this.skew, Date.now() - Date.parse(detail.at));
    };
    this.onSwap = () => this.explain();
    root.addEventListener("keydown", (event) => this.key(event));
    document.body.addEventListener("fw:counters", this.onCounters);
    document.body.addEventListener("htmx:afterSettle", this.onSwap);
    this.timer = setInterval(() => this.tick(), 1000);
    this.socket = new Socket(root.dataset.liveView, {
      message: (data) => this.receive(data),
      state: (state) => {
        this.state = state;
        this.explain();
      },
    }).open();
  }

  leave() {
    this.socket.close();
    this.resize.disconnect();
    clearInterval(this.timer);
    document.body.removeEventListener("fw:counters", this.onCounters);
    document.body.removeEventListener("htmx:afterSettle", this.onSwap);
  }

  async receive(data) {
    if (typeof data === "string") return;
    const picture = parsePicture(data);
    const bitmap = await createImageBitmap(picture.jpeg);
    const names = this.labels[picture.header.bundle] ?? (await this.learn(picture.header.bundle));
    for (const found of picture.detections) found.name = names[found.label] ?? `class ${found.label}`;
    this.shape(bitmap.width, bitmap.height);
    if (this.picture.width !== bitmap.width) this.picture.width = bitmap.width;
    if (this.picture.height !== bitmap.height) this.picture.height = bitmap.height;
    this.pixels.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.shown = picture;
    this.redraw();
    this.count(picture);
    this.lastAt = performance.now();
    this.arrivals.push(this.lastAt);
    this.measure(picture.header);
    this.root.dataset.frames = Number(this.root.dataset.frames) + 1;
    if (!this.veil.hidden) this.explain();
  }

  // A bundle that began to run after this page was loaded.
  async learn(bundle) {
    const response = await fetch(this.root.dataset.labelsUrl).catch(() => null);
    if (response?.ok) Object.assign(this.labels, await response.json());
    return (this.labels[bundle] ??= []);
  }

  shape(width, height) {
    const ratio = `${width} / ${height}`;
    if (this.stage.style.aspectRatio !== ratio) this.stage.style.aspectRatio = ratio;
  }

  redraw() {
    if (!this.shown) return;
    const visible = this.shown.detections.filter(({ name }) => !this.hidden.has(name));
    const size = { width: this.picture.width, height: this.picture.height };
    this.root.dataset.boxes = this.boxes.draw(visible, size);
  }

  count({ detections }) {
    const counts = new Map();
    for (const { name } of detections) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const name of counts.keys()) if (!this.chips.has(name)) this.addChip(name);
    for (const [name, number] of this.chips) {
      const text = String(counts.get(name) ?? 0);
      if (number.textContent !== text) number.textContent = text;
    }
  }

  addChip(name) {
    const item = document.createElement("li");
    const chip = document.createElement("button");
    const swatch = document.createElement("span");
    const number = document.createElement("b");
    chip.type = "button";
    chip.className = "chip";
    chip.setAttribute("aria-pressed", "true");
    swatch.className = "chip__swatch";
    swatch.style.background = labelOnVideo(name);
    chip.append(swatch, name, number);
    chip.addEventListener("click", () => {
      if (!this.hidden.delete(name)) this.hidden.add(name);
      chip.setAttribute("aria-pressed", String(!this.hidden.has(name)));
      this.redraw();
    });
    item.append(chip);
    this.classes.append(item);
    this.chips.set(name, number);
  }

  measure({ captured_at }) {
    const now = performance.now();
    this.arrivals = this.arrivals.filter((at) => now - at < RATE_MS);
    const length = Math.max(now - this.arrivals[0], 1);
    const fps = this.arrivals.length > 1 ? ((this.arrivals.length - 1) * 1000) / length : 0;
    this.fps.textContent = `${fps.toFixed(1)} fps`;
    const skew = Number.isFinite(this.skew) ? this.skew : 0;
    const offset = Number(this.root.dataset.clockOffsetMs);
    const latency = Date.now() - skew - (Date.parse(captured_at) - offset);
    this.latency.textContent = latency >= 1000 ? `${(latency / 1000).toFixed(1)} s` : `${Math.max(0, Math.round(latency))} ms`;
  }

  tick() {
    if (performance.now() - this.lastAt > STALE_MS) this.explain();
  }

  // Says why there is no fresh picture, or nothing when there is.
  explain() {
    const age = performance.now() - this.lastAt;
    const isFresh = this.lastAt > 0 && age < STALE_MS && this.state === "live";
    this.veil.hidden = isFresh;
    this.readout.hidden = !isFresh;
    if (isFresh) return;
    const standing = document.querySelector("[data-standing]");
    const isWell = !standing || standing.dataset.standing === "ok";
    let words = "Waiting for the first picture…";
    if (this.state === "connecting") words = "Reconnecting…";
    else if (this.state === "gone") words = "This camera is not available to you any more.";
    else if (!isWell) words = standing.dataset.standingText;
    else if (this.lastAt) words = `No picture for ${Math.round(age / 1000)} s`;
    this.veil.classList.toggle("is-still", !isWell && this.state === "live");
    if (this.veilText.textContent !== words) this.veilText.textContent = words;
  }

  toggleBoxes() {
    this.boxes.isOn = !this.boxes.isOn;
    this.root.querySelector("[data-toggle-boxes]").setAttribute("aria-pressed", String(this.boxes.isOn));
    this.redraw();
  }

  colourBy(chosen) {
    for (const button of chosen.parentElement.children) {
      button.setAttribute("aria-pressed", String(button === chosen));
    }
    this.boxes.by = chosen.value;
    this.redraw();
  }

  expand() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "b") this.toggleBoxes();
    if (event.key === "f") this.expand();
  }
}

component("[data-live-view]", (root) => {
  const view = new LiveView(root);
  return () => view.leave();
});
