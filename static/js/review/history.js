// Undo and redo of one picture's edits: snapshots of immutable answers.
const TOGETHER_MS = 700; // a run of nudges is one step back

export class History {
  #past = [];
  #future = [];
  #last = { kind: null, at: 0 };

  // Remember `answer` as it was before a change; changes of one `kind` in a row count as one.
  remember(answer, kind = null) {
    const at = performance.now();
    const goesOn = kind !== null && kind === this.#last.kind && at - this.#last.at < TOGETHER_MS;
    if (!goesOn) this.#past.push(answer);
    this.#future = [];
    this.#last = { kind, at };
  }

  undo(answer) {
    return this.#swap(this.#past, this.#future, answer);
  }

  redo(answer) {
    return this.#swap(this.#future, this.#past, answer);
  }

  #swap(from, to, answer) {
    this.#last = { kind: null, at: 0 };
    if (!from.length) return null;
    to.push(answer);
    return from.pop();
  }
}
