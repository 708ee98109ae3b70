// Boxes with captions on a canvas that covers a letterboxed picture, as sharp as the screen is.
import { labelOnVideo, trackOnVideo } from "./colours.js";

const CAPTION = 12, PAD = 5, INK = "#0b0d11";

export class BoxPainter {
  isOn = true;
  by = "track";

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.font = `600 ${CAPTION}px ${getComputedStyle(canvas).fontFamily}`;
  }

  // Draws `detections` over a picture of `size`; returns how many boxes there are now.
  draw(detections, size) {
    const { canvas, context } = this;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.isOn || !size.width) return 0;
    const scale = Math.min(width / size.width, height / size.height);
    const frame = { width: size.width * scale, height: size.height * scale };
    frame.left = (width - frame.width) / 2;
    frame.top = (height - frame.height) / 2;
    const placed = detections.map((found) => this.#place(found, frame));
    for (const box of placed) this.#outline(box);
    for (const box of placed) this.#caption(box, frame);
    return placed.length;
  }

  #place(found, frame) {
    const left = frame.left + found.x0 * frame.width, top = frame.top + found.y0 * frame.height;
    const isByTrack = this.by === "track" && found.track;
    return {
      left, top,
      width: (found.x1 - found.x0) * frame.width,
      height: (found.y1 - found.y0) * frame.height,
      colour: isByTrack ? trackOnVideo(found.track) : labelOnVideo(found.name),
      text: `${found.name} ${Math.round(found.score * 100)}`,
      track: found.track ? `#${found.track % 1000}` : "",
    };
  }

  #outline({ left, top, width, height, colour }) {
    const { context } = this;
    context.lineJoin = "round";
    context.strokeStyle = "rgb(0 0 0 / 45%)";
    context.lineWidth = 4;
    context.strokeRect(left, top, width, height);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.strokeRect(left, top, width, height);
  }

  #caption({ left, top, width, colour, text, track }, frame) {
    const { context } = this;
    context.font = this.font;
    const isNarrow = width < 34;
    const words = isNarrow ? text.split(" ").at(-1) : track ? `${text}  ${track}` : text;
    const length = context.measureText(words).width + 2 * PAD, height = CAPTION + 6;
    const x = Math.min(Math.max(left - 1, frame.left), frame.left + frame.width - length);
    const y = top - height >= frame.top ? top - height : top;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(x, y, length, height, 3);
    context.fill();
    context.fillStyle = INK;
    context.textBaseline = "middle";
    context.fillText(words, x + PAD, y + height / 2 + 0.5);
  }
}
