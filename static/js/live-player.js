// Plays fragments of an endless MP4 as they come, and stays close to the newest of them.
import { Stamps } from "./live-stamps.js";

const Source = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
const BEHIND_S = 0.08; // behind the newest picture: what a network and a decoder sway by
const MOST_WAIT_S = 1, MOST_SWAY_S = 0.5, STEP_S = 0.04, CALM = 0.998, LOST_S = 2, NEAR_S = 0.03;
const KEEP_S = 6, TRIM_AT_S = 15;
const WAITS = 50, MOST_OF_THEM = 0.95; // of so many boxes, as many as shall be in time
const MOST_WAITING = 600; // fragments: 20 s that the browser has not taken are more than a hiccup

export const canPlay = Boolean(Source) && "requestVideoFrameCallback" in HTMLVideoElement.prototype;

export class Player {
  #video; #handlers; #media = null; #buffer = null; #url = ""; #codec = ""; #init = null;
  #queue = []; #stamps = new Stamps(); #waits = []; #number = 0; #edge = -1; #newest = 0; #late = 0; #sway = 0; #isPlaced = false; #awaited = null;

  // handlers: frame(capturedAt in ms, { width, height }) for each picture as it is shown; failed(reason).
  constructor(video, handlers) {
    this.#video = video;
    this.#handlers = handlers;
    video.muted = true;
    video.disableRemotePlayback = true; // else a ManagedMediaSource never opens
    video.addEventListener("waiting", this.#onWaiting);
    video.addEventListener("error", this.#onError);
    this.#awaited = video.requestVideoFrameCallback(this.#onFrame);
  }

  // When the latest picture so far was captured, in ms: some codecs send a later one first.
  get edge() {
    return this.#newest;
  }

  // Boxes come later than their pictures, and in some codecs the next picture before this one: wait
  // for them, as far as that is no nuisance.
  waitFor(seconds) {
    this.#waits.push(Math.min(Math.max(seconds, 0), MOST_WAIT_S));
    if (this.#waits.length > WAITS) this.#waits.shift();
    const ordered = this.#waits.toSorted((one, other) => one - other);
    this.#late = ordered[Math.floor(ordered.length * MOST_OF_THEM)];
  }

  get #behind() {
    return Math.max(BEHIND_S, this.#late) + this.#sway;
  }

  push({ header, init, fragment }) {
    const isNext = header.number === this.#number + 1 && header.at_s > this.#edge - 1;
    if (!init && !isNext) return; // some were given up on the way: a key picture comes
    if (init) this.#begin(header, init);
    if (!this.#media) return;
    this.#number = header.number;
    const capturedAt = Date.parse(header.captured_at);
    this.#edge = Math.max(this.#edge, header.at_s);
    this.#newest = Math.max(this.#newest, capturedAt);
    this.#stamps.add(header.at_s, capturedAt);
    this.#queue.push(fragment);
    if (this.#queue.length > MOST_WAITING) return this.#fail("the video is not taken");
    this.#flush();
  }

  close() {
    this.#video.removeEventListener("waiting", this.#onWaiting);
    this.#video.removeEventListener("error", this.#onError);
    this.#video.cancelVideoFrameCallback(this.#awaited);
    this.#awaited = null;
    this.#handlers = { frame() {}, failed() {} };
    this.#reset();
  }

  #begin(header, init) {
    if (!Source.isTypeSupported(type(header.codec))) return this.#fail(`it does not play ${header.codec}`);
    if (this.#media && header.at_s < this.#edge - 1) this.#reset(); // the agent began anew
    if (!this.#media) this.#open();
    if (this.#init && equal(this.#init, init)) return;
    if (this.#buffer && header.codec !== this.#codec) this.#queue.push({ type: type(header.codec) });
    this.#codec = header.codec;
    this.#init = init;
    this.#queue.push(init);
  }

  #open() {
    const media = new Source();
    this.#media = media;
    media.addEventListener("sourceopen", () => {
      if (media === this.#media && !this.#buffer) this.#accept();
    });
    this.#url = URL.createObjectURL(media);
    this.#video.src = this.#url;
  }

  #accept() {
    URL.revokeObjectURL(this.#url);
    try {
      this.#buffer = this.#media.addSourceBuffer(type(this.#codec));
    } catch (error) {
      return this.#fail(String(error));
    }
    this.#buffer.addEventListener("updateend", () => {
      this.#flush();
      this.#steer();
    });
    this.#flush();
  }

  #reset() {
    this.#media = this.#buffer = this.#init = null;
    this.#queue = [];
    this.#stamps.clear();
    this.#edge = -1;
    this.#newest = 0;
    this.#isPlaced = false;
    URL.revokeObjectURL(this.#url);
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #flush() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#media.readyState !== "open") return;
    try {
      if (this.#trim()) return;
      if (this.#queue[0]?.type) buffer.changeType(this.#queue.shift().type);
      const end = this.#queue.findIndex((part) => part.type);
      const parts = this.#queue.splice(0, end < 0 ? this.#queue.length : end);
      if (parts.length) buffer.appendBuffer(joined(parts));
    } catch (error) {
      this.#fail(String(error));
    }
  }

  // Forgets what has been shown; returns whether the buffer is busy with it.
  #trim() {
    const { buffered } = this.#buffer, now = this.#video.currentTime;
    if (!buffered.length || buffered.start(0) > now - TRIM_AT_S) return false;
    this.#buffer.remove(0, now - KEEP_S);
    return true;
  }

  // Goes to the newest picture if it is far, and towards it if it is near.
  #steer() {
    const video = this.#video;
    if (!this.#buffer?.buffered.length) return;
    this.#sway *= CALM;
    const { buffered } = this.#buffer, start = buffered.start(buffered.length - 1);
    const lag = this.#edge - video.currentTime;
    if (!this.#isPlaced || Math.abs(lag) > LOST_S || video.currentTime < start) {
      this.#isPlaced = true;
      video.currentTime = Math.max(start, this.#edge - this.#behind);
    } else {
      const far = lag - this.#behind;
      video.playbackRate = Math.abs(far) < NEAR_S ? 1 : Math.min(Math.max(1 + far, 0.85), 1.25);
    }
    if (video.paused) video.play().catch((error) => error.name === "NotAllowedError" && this.#fail(String(error)));
  }

  #onWaiting = () => {
    this.#sway = Math.min(this.#sway + STEP_S, MOST_SWAY_S);
  };

  #onError = () => {
    if (this.#media) this.#fail(this.#video.error?.message || "the video cannot be decoded");
  };

  #onFrame = (now, { mediaTime, width, height }) => {
    if (this.#awaited === null) return; // closed
    this.#awaited = this.#video.requestVideoFrameCallback(this.#onFrame);
    const capturedAt = this.#stamps.capturedAt(mediaTime);
    if (capturedAt) this.#handlers.frame(capturedAt, { width, height });
  };

  #fail(reason) {
    const { failed } = this.#handlers;
    this.close();
    failed(reason);
  }
}

function type(codec) {
  return `video/mp4; codecs="${codec}"`;
}

function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function joined(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
