// Undo and redo of one picture's edits: snapshots of immutable boxes.
const TOGETHER_MS = 700; // a run of nudges is one step back

export class History {
  #past = [];
  #future = [];
  #last = { kind: null, at: 0 };

  // Remember `boxes` as they were before a change; changes of one `kind` in a row count as one.
  remember(boxes, kind = null) {
    const at = performance.now();
    const goesOn = kind !== null && kind === this.#last.kind && at - this.#last.at < TOGETHER_MS;
    if (!goesOn) this.#past.push(boxes);
    this.#future = [];
    this.#last = { kind, at };
  }

  undo(boxes) {
    return this.#swap(this.#past, this.#future, boxes);
  }

  redo(boxes) {
    return this.#swap(this.#future, this.#past, boxes);
  }

  #swap(from, to, boxes) {
    this.#last = { kind: null, at: 0 };
    if (!from.length) return null;
    to.push(boxes);
    return from.pop();
  }
}
