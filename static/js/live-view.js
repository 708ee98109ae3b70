// What a camera shows now: its video where the browser plays it, else picture by picture; and over
// it the boxes of the very same picture.
import { BoxPainter } from "./boxes.js";
import { component } from "./component.js";
import { labelOnVideo } from "./colours.js";
import { canPlay } from "./live-player.js";
import { SizedVideo } from "./live-size.js";
import { parsePicture } from "./picture.js";
import { Socket } from "./socket.js";

const STALE_MS = 4000, STUCK_MS = 2500, RATE_MS = 3000;

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
    this.states = {};
    this.arrivals = [];
    this.lastAt = 0;
    this.skew = Infinity; // this computer's clock less the hub's, as far as counters tell
    const { width, height } = this.stage.dataset;
    if (Number(width) && Number(height)) this.shape(Number(width), Number(height));
    this.#listen();
  }

  #listen() {
    const { root } = this;
    this.resize = new ResizeObserver(() => {
      this.moving?.fit(this.stage.clientWidth * devicePixelRatio);
      this.redraw();
    });
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
    this.follow("pictures");
    if (canPlay) this.#play();
  }

  // Pictures come at once, and until the video plays: it begins with a key picture.
  #play() {
    this.moving = new SizedVideo(this.root.querySelectorAll("[data-video]"), `${this.root.dataset.liveView}video/`, {
      frame: (frame) => this.advance(frame),
      state: (state) => this.become("video", state),
      failed: (reason) => {
        this.root.dataset.videoFailed = reason;
        this.moving = null;
        this.follow("pictures");
      },
    });
  }

  // Shows pictures or the video, and lets the hub know that nobody looks at the pictures any more.
  follow(mode) {
    if (this.root.dataset.mode === mode) return;
    this.root.dataset.mode = mode;
    delete this.root.dataset.capturedAt; // no report takes the old picture for the next one
    this.arrivals = [];
    if (mode === "video") {
      this.socket.close();
      this.socket = null;
    } else {
      this.socket = new Socket(this.root.dataset.liveView, {
        message: (data) => this.receive(data),
        state: (state) => this.become("pictures", state),
      }).open();
    }
  }

  become(mode, state) {
    this.states[mode] = state;
    this.explain();
  }

  get state() {
    return this.states[this.root.dataset.mode];
  }

  leave() {
    this.socket?.close();
    this.moving?.close();
    this.resize.disconnect();
    clearInterval(this.timer);
    document.body.removeEventListener("fw:counters", this.onCounters);
    document.body.removeEventListener("htmx:afterSettle", this.onSwap);
  }

  async receive(data) {
    if (typeof data === "string") return;
    const { header, detections, jpeg } = parsePicture(data);
    const bitmap = await createImageBitmap(jpeg);
    const { width, height } = bitmap;
    const names = this.labels[header.bundle] ?? (await this.learn(header.bundle));
    if (this.picture.width !== width) this.picture.width = width;
    if (this.picture.height !== height) this.picture.height = height;
    this.pixels.drawImage(bitmap, 0, 0);
    bitmap.close();
    if (this.root.dataset.mode === "video") return; // it began to play meanwhile
    this.show({ capturedAt: Date.parse(header.captured_at), detections, names, width, height });
  }

  // The next picture of the video is on the screen.
  advance({ bundle, ...frame }) {
    this.follow("video");
    const names = bundle ? this.labels[bundle] : [];
    if (!names) this.learn(bundle);
    this.root.dataset.apartMs = frame.apartMs;
    this.show({ ...frame, names: names ?? [] });
  }

  show(frame) {
    for (const found of frame.detections) found.name = frame.names[found.label] ?? `class ${found.label}`;
    this.shape(frame.width, frame.height);
    this.shown = frame;
    this.root.dataset.capturedAt = frame.capturedAt;
    this.redraw();
    this.count(frame);
    this.lastAt = performance.now();
    this.arrivals.push(this.lastAt);
    this.measure(frame);
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
    this.root.dataset.boxes = this.boxes.draw(visible, this.shown);
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

  measure({ capturedAt }) {
    const now = performance.now();
    this.arrivals = this.arrivals.filter((at) => now - at < RATE_MS);
    const length = Math.max(now - this.arrivals[0], 1);
    const fps = this.arrivals.length > 1 ? ((this.arrivals.length - 1) * 1000) / length : 0;
    this.fps.textContent = `${fps.toFixed(1)} fps`;
    const skew = Number.isFinite(this.skew) ? this.skew : 0;
    const offset = Number(this.root.dataset.clockOffsetMs);
    const latency = Date.now() - skew - (capturedAt - offset);
    this.latency.textContent = latency >= 1000 ? `${(latency / 1000).toFixed(1)} s` : `${Math.max(0, Math.round(latency))} ms`;
  }

  tick() {
    const age = performance.now() - this.lastAt;
    if (this.root.dataset.mode === "video" && age > STUCK_MS && !document.hidden) {
      this.follow("pictures");
      this.moving.recover();
    }
    if (age > STALE_MS) this.explain();
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
