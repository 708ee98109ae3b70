// When each picture of a video was captured, by when it is shown on the video's own clock.
const KEPT = 240;

export class Stamps {
  #stamps = [];

  // In whatever order: some codecs send a picture before those that are shown earlier.
  add(at, capturedAt) {
    const earlier = this.#stamps.findLastIndex((stamp) => stamp.at <= at);
    this.#stamps.splice(earlier + 1, 0, { at, capturedAt });
    if (this.#stamps.length > KEPT) this.#stamps.shift();
  }

  clear() {
    this.#stamps = [];
  }

  // When the picture was captured that is shown nearest to this time; undefined if none is known.
  capturedAt(at) {
    const next = this.#stamps.findIndex((stamp) => stamp.at >= at);
    const [before, after] = [this.#stamps.at(next - 1), this.#stamps.at(next)];
    return (next > 0 && at - before.at < after.at - at ? before : after)?.capturedAt;
  }
}
