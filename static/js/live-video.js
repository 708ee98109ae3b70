// A camera's own video over a socket, with what was found in its pictures.
import { FoundBoxes } from "./live-boxes.js";
import { Player } from "./live-player.js";
import { parseVideo } from "./picture.js";
import { Socket } from "./socket.js";

const MOST_APART_MS = 150; // a quarter of a second from camera to screen is all there is: boxes of pictures analysed less often stand still the rest

export class LiveVideo {
  #socket; #player = null; #boxes = new FoundBoxes(); #foundAt = 0; #element; #handlers;

  // handlers: frame({ capturedAt, bundle, detections, apartMs, width, height }) for each picture as
  // it is shown; state as of the socket; failed(reason): it never plays here.
  constructor(element, path, handlers) {
    this.#element = element;
    this.#handlers = handlers;
    this.#socket = new Socket(path, {
      message: (data) => this.#receive(data),
      state: (state) => {
        if (state !== "live") this.#stop();
        handlers.state(state);
      },
    }).open();
  }

  close() {
    this.#socket.close();
    this.#stop();
  }

  #stop() {
    this.#player?.close();
    this.#player = null;
    this.#boxes.clear();
  }

  #receive(data) {
    if (typeof data === "string") return;
    const message = parseVideo(data);
    if (message.header.type === "boxes") this.#note(message);
    else if (message.header.type === "video") this.#play(message);
  }

  #note({ header, detections }) {
    const capturedAt = Date.parse(header.captured_at);
    const lateMs = this.#player?.edge ? this.#player.edge - capturedAt : 0;
    const apartMs = Math.min(capturedAt - this.#foundAt, MOST_APART_MS);
    this.#foundAt = capturedAt;
    this.#boxes.add(capturedAt, header.bundle, detections, lateMs);
    this.#player?.waitFor((lateMs + apartMs) / 1000); // between two pictures, the later one's are needed too
  }

  #play(message) {
    this.#player ??= new Player(this.#element, {
      frame: (capturedAt, size) => {
        const found = this.#boxes.at(capturedAt) ?? { bundle: "", detections: [], apartMs: 0 };
        this.#handlers.frame({ ...found, capturedAt, ...size });
      },
      failed: (reason) => {
        this.close();
        this.#handlers.failed(reason);
      },
    });
    this.#player.push(message);
  }
}
