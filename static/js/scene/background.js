// The picture under the drawing: the newest kept one, then live ones as long as they come.
import { parsePicture } from "../picture.js";
import { Socket } from "../socket.js";

export class Background {
  #canvas; #pixels; #isStill = false; #onSize; #size = "";

  // onSize({ width, height }) when the picture turns out to have another size than was thought.
  constructor(canvas, path, { size, onSize }) {
    this.#canvas = canvas;
    this.#pixels = canvas.getContext("2d");
    this.#onSize = onSize;
    this.#size = `${size.width}x${size.height}`;
    new Socket(path, { message: (data) => this.#receive(data) }).open();
  }

  // A picture that stands still is easier to draw on.
  set isStill(isStill) {
    this.#isStill = isStill;
  }

  async #receive(data) {
    if (typeof data === "string" || this.#isStill) return;
    const bitmap = await createImageBitmap(parsePicture(data).jpeg);
    const { width, height } = bitmap;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#pixels.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#canvas.hidden = false;
    this.#canvas.dataset.frames = Number(this.#canvas.dataset.frames ?? 0) + 1;
    if (this.#size !== `${width}x${height}`) {
      this.#size = `${width}x${height}`;
      this.#onSize({ width, height });
    }
  }
}
