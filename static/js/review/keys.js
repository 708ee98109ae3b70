// Which key does what, in one table: the dispatcher and the help read it alike, and a labeler may
// give every deed another key. A combination is written "Shift+ArrowUp"; letters are lower case.
const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const MODIFIERS = ["Control", "Meta", "Alt", "Shift", "AltGraph", "CapsLock", "Dead", "Unidentified"];
const CAPS = { " ": "Space", Delete: "Del", Escape: "Esc", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", ArrowRight: "→" };

// The combination that was pressed, or null while only Shift and the like are held.
export function combinationOf(event) {
  if (MODIFIERS.includes(event.key)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const held = [
    (event.ctrlKey || event.metaKey) && "Ctrl",
    event.altKey && "Alt",
    // "?" and the like already contain their Shift.
    event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) && "Shift",
  ];
  return [...held.filter(Boolean), key].join("+");
}

// A combination as keycaps.
export function capsOf(combination) {
  const parts = combination.endsWith("++") ? [...combination.slice(0, -2).split("+"), "+"] : combination.split(/(?<=.)\+/);
  return parts.map((part) => {
    const cap = document.createElement("kbd");
    const word = CAPS[part] ?? (part.length === 1 ? part.toUpperCase() : part);
    cap.textContent = IS_MAC ? word.replace("Ctrl", "⌘").replace("Alt", "⌥") : word;
    return cap;
  });
}

export class Keys {
  #plain; #chosen; #keep; #runs = new Map();

  // bindings: [{ group, name (null: its keys are fixed), keys: [combination], shown: [[cap]]?,
  // does: text, run(combination) }]; `run` returns false when the key means nothing right now, and
  // the browser has it. `chosen`: name -> keys that the labeler gave it; `keep(chosen)` remembers.
  constructor(bindings, chosen, keep) {
    this.#plain = bindings;
    this.#keep = keep;
    this.#choose(chosen);
    window.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
  }

  get bindings() {
    return this.#plain.map((row) => ({ ...row, keys: this.#chosen[row.name] ?? row.keys }));
  }

  get areChosen() {
    return Object.keys(this.#chosen).length > 0;
  }

  keysOf(name) {
    return this.bindings.find((row) => row.name === name)?.keys ?? [];
  }

  // Give a deed this key alone. Return whose fixed key it is, in words, when it cannot be given;
  // any other deed that had it is left with the rest of its keys.
  bind(name, combination) {
    const owner = this.bindings.find(({ keys }) => keys.includes(combination));
    if (owner && owner.name === null) return owner.does;
    const taken = owner && owner.name !== name
      ? { [owner.name]: owner.keys.filter((key) => key !== combination) } : {};
    this.#choose({ ...this.#chosen, ...taken, [name]: [combination] });
    this.#keep(this.#chosen);
    return null;
  }

  reset() {
    this.#choose({});
    this.#keep({});
  }

  #choose(chosen) {
    this.#chosen = chosen;
    this.#runs = new Map(this.bindings.flatMap(({ keys, run }) => keys.map((key) => [key, run])));
  }

  #onKey(event) {
    if (event.defaultPrevented || event.isComposing || isTyping(event)) return;
    const combination = combinationOf(event);
    const run = this.#runs.get(combination);
    if (!run || (isPressing(event) && combination === "Enter")) return;
    // A key held down moves on and on, but decides once.
    const isOnceMore = event.repeat && !/Arrow|Tab|^[-+=]$/.test(combination);
    if (!isOnceMore && run(combination) === false) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Annotorious has an undo of its own on Ctrl+Z
  }
}

function isTyping({ target }) {
  return Boolean(target.closest?.("input, textarea, select, [contenteditable], dialog[open]"));
}

function isPressing({ target }) {
  return Boolean(target.closest?.("button, a[href], summary"));
}
