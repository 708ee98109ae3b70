// The camera wall: cards in sight are refreshed one after the other, each by a single picture over
// a socket that closes again, so that many cards cost what one does; and a filter by name.
import { component } from "./component.js";
import { trackOnVideo } from "./colours.js";
import { parsePicture } from "./picture.js";

const APART_MS = 700, AGAIN_MS = 3000, PATIENCE_MS = 6000;

const inSight = new Set();
const shownAt = new WeakMap();
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inSight.add(target);
    else inSight.delete(target);
  }
});

function peek(canvas) {
  return new Promise((resolve) => {
    const address = new URL(canvas.dataset.peek, location.href.replace(/^http/, "ws"));
    const socket = new WebSocket(address);
    const timer = setTimeout(() => socket.close(), PATIENCE_MS);
    socket.binaryType = "arraybuffer";
    socket.onmessage = async ({ data }) => {
      if (typeof data === "string") return socket.send("ok");
      socket.onmessage = null;
      socket.close();
      await draw(canvas, parsePicture(data)).catch(() => {});
    };
    socket.onclose = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function draw(canvas, { detections, jpeg }) {
  const bitmap = await createImageBitmap(jpeg);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  context.lineWidth = Math.max(1.5, canvas.width / 320);
  for (const { x0, y0, x1, y1, track, label } of detections) {
    context.strokeStyle = trackOnVideo(track || label);
    context.strokeRect(
      x0 * canvas.width, y0 * canvas.height, (x1 - x0) * canvas.width, (y1 - y0) * canvas.height,
    );
  }
  canvas.dataset.shown = "true";
}

async function rounds() {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, APART_MS));
    if (document.hidden) continue;
    const due = [...inSight]
      .filter((canvas) => canvas.isConnected && performance.now() - (shownAt.get(canvas) ?? -1e9) > AGAIN_MS)
      .sort((a, b) => (shownAt.get(a) ?? -1e9) - (shownAt.get(b) ?? -1e9));
    if (!due.length) continue;
    shownAt.set(due[0], performance.now());
    await peek(due[0]);
  }
}

component("[data-peek]", (canvas) => {
  sight.observe(canvas);
  return () => {
    sight.unobserve(canvas);
    inSight.delete(canvas);
  };
});

component("[data-wall]", (wall) => {
  const box = document.querySelector("[data-wall-filter]");
  const input = box.querySelector("input");
  const apply = () => {
    const cards = [...wall.querySelectorAll("[data-shot]")];
    const words = input.value.trim().toLowerCase();
    box.hidden = cards.length < 7 && !words;
    let n = 0;
    for (const card of cards) {
      card.hidden = !card.dataset.shot.includes(words);
      if (!card.hidden) n += 1;
    }
    const none = wall.querySelector("[data-wall-none]");
    if (none) none.hidden = n > 0;
  };
  input.addEventListener("input", apply);
  wall.addEventListener("htmx:afterSettle", apply);
  apply();
});

rounds();
