// Boxes found in pictures of a video, for the pictures between them too: a track moves evenly.
const EARLY_MS = 20; // pictures and packets are dated in two places
const OLD_MS = 6000; // a camera at which nothing moves is looked at every 5 s
const LATE_MS = 1000; // of one that is looked at too slowly, boxes would lie where things were
const KEPT = 64;

export class FoundBoxes {
  #found = []; #lateMs = 0;

  // detections of the picture that was captured then (in ms), in the order of pictures;
  // they came so much later than the picture did.
  add(capturedAt, bundle, detections, lateMs) {
    this.#lateMs += (lateMs - this.#lateMs) * 0.3;
    this.#found.push({ capturedAt, bundle, detections });
    if (this.#found.length > KEPT) this.#found.shift();
  }

  clear() {
    this.#found = [];
  }

  // What is to be drawn over the picture that was captured at this instant, and how far from it the
  // nearest picture was that boxes were found in; null if nothing is known.
  at(capturedAt) {
    const index = this.#found.findLastIndex((found) => found.capturedAt <= capturedAt + EARLY_MS);
    const before = this.#found[index], after = this.#found[index + 1];
    const most = this.#lateMs > LATE_MS ? LATE_MS : OLD_MS;
    if (!before || capturedAt - before.capturedAt > most) return null;
    const apartMs = Math.max(0, capturedAt - before.capturedAt);
    if (!after || after.bundle !== before.bundle) return { ...before, apartMs };
    const share = apartMs / (after.capturedAt - before.capturedAt);
    const later = new Map(after.detections.map((found) => [found.track, found]));
    const detections = before.detections.map((found) => between(found, found.track && later.get(found.track), share));
    return { ...before, detections, apartMs: Math.min(apartMs, after.capturedAt - capturedAt) };
  }
}

function between(found, later, share) {
  if (!later) return found;
  const moved = { ...found };
  for (const edge of ["x0", "y0", "x1", "y1"]) moved[edge] += (later[edge] - found[edge]) * share;
  return moved;
}
