// A camera's video as large as it is looked at: of the stream that is analysed, or of the main one.
// The one that comes plays unseen until it has a picture, so that there is always one to see.
import { LiveVideo } from "./live-video.js";

const MORE = 1.1; // of the pixels, before the main stream has more to show
const PATIENCE_MS = 1000; // for what was found in the first picture
const AGAIN_MS = 30000; // before a main stream that ceased to come is tried again

export class SizedVideo {
  #screens; #path; #handlers; #shown; #coming = null; #hasMain; #pixels = 0; #smallWidth = 0; #noMainUntil = 0;

  // screens: a video element, and another one if the camera has a main stream. handlers: as of `LiveVideo`.
  constructor(screens, path, handlers) {
    this.#screens = [...screens];
    this.#path = path;
    this.#hasMain = screens.length > 1;
    this.#handlers = handlers;
    this.#shown = this.#open(false);
    this.#shown.screen.classList.add("is-shown");
  }

  close() {
    for (const one of [this.#shown, this.#coming]) one?.video.close();
  }

  // It is looked at in so many pixels' width.
  fit(pixels) {
    this.#pixels = pixels;
    if (!this.#smallWidth) return;
    const { isMain } = this.#coming ?? this.#shown;
    const isWorthIt = pixels > this.#smallWidth * (isMain ? 1 : MORE);
    const wantsMain = this.#hasMain && isWorthIt && performance.now() > this.#noMainUntil;
    if (wantsMain === isMain) return;
    this.#drop();
    if (wantsMain !== this.#shown.isMain) this.#coming = this.#open(wantsMain);
  }

  // Nothing comes any more: of the main stream alone, perhaps.
  recover() {
    if (!this.#shown.isMain) return;
    this.#noMainUntil = performance.now() + AGAIN_MS;
    this.fit(this.#pixels);
  }

  #open(isMain) {
    const one = { isMain, screen: this.#screens.find((screen) => screen !== this.#shown?.screen), firstAt: 0 };
    one.video = new LiveVideo(one.screen, isMain ? `${this.#path}main/` : this.#path, {
      frame: (frame) => this.#frame(one, frame),
      state: (state) => one === this.#shown && this.#handlers.state(state),
      failed: (reason) => this.#fail(one, reason),
    });
    return one;
  }

  #drop() {
    this.#coming?.video.close();
    this.#coming = null;
  }

  #frame(one, frame) {
    if (one === this.#coming) {
      one.firstAt ||= performance.now();
      if (!frame.bundle && performance.now() - one.firstAt < PATIENCE_MS) return;
      this.#change();
    }
    if (one !== this.#shown) return;
    if (!one.isMain) this.#smallWidth = frame.width;
    this.#handlers.frame(frame);
    this.fit(this.#pixels);
  }

  #change() {
    const before = this.#shown;
    this.#shown = this.#coming;
    this.#coming = null;
    this.#shown.screen.classList.add("is-shown");
    before.screen.classList.remove("is-shown");
    before.video.close();
    this.#handlers.state("live");
  }

  #fail(one, reason) {
    if (!one.isMain) {
      this.close();
      return this.#handlers.failed(reason);
    }
    this.#hasMain = false;
    if (one === this.#coming) this.#coming = null;
    else this.fit(this.#pixels);
  }
}
