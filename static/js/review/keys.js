// Which key does what, in one table: the dispatcher and the help read it alike.
// A combination is written "Shift+ArrowUp"; letters are lower case.
const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export function combinationOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const held = [
    (event.ctrlKey || event.metaKey) && "Ctrl",
    event.altKey && "Alt",
    // "?" and the like already contain their Shift.
    event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) && "Shift",
  ];
  return [...held.filter(Boolean), key].join("+");
}

// bindings: [{ group, keys: [combination], shown: [word], does: text, run(combination) }].
// `run` returns false when the key means nothing right now, and the browser has it.
export function listenToKeys(bindings) {
  const runs = new Map(bindings.flatMap(({ keys, run }) => keys.map((key) => [key, run])));
  const onKey = (event) => {
    if (event.defaultPrevented || event.isComposing || isTyping(event)) return;
    const combination = combinationOf(event);
    const run = runs.get(combination);
    if (!run || (isPressing(event) && combination === "Enter")) return;
    // A key held down moves on and on, but decides once.
    const isOnceMore = event.repeat && !/Arrow|Tab/.test(combination);
    if (!isOnceMore && run(combination) === false) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Annotorious has an undo of its own on Ctrl+Z
  };
  window.addEventListener("keydown", onKey, { capture: true });
  return () => window.removeEventListener("keydown", onKey, { capture: true });
}

// The help's list of keys, grouped.
export function keysInWords(bindings) {
  const groups = Map.groupBy
    ? Map.groupBy(bindings, ({ group }) => group)
    : bindings.reduce((all, each) => all.set(each.group, [...(all.get(each.group) ?? []), each]), new Map());
  return [...groups].map(([group, members]) => {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = group;
    const list = document.createElement("dl");
    for (const { shown, does } of members) {
      const keys = document.createElement("dt");
      keys.append(...shown.map(keycap));
      const words = document.createElement("dd");
      words.textContent = does;
      list.append(keys, words);
    }
    section.append(title, list);
    return section;
  });
}

function keycap(word) {
  const cap = document.createElement("kbd");
  cap.textContent = IS_MAC ? word.replace("Ctrl", "⌘").replace("Alt", "⌥") : word;
  return cap;
}

function isTyping({ target }) {
  return Boolean(target.closest?.("input, textarea, select, [contenteditable], dialog[open]"));
}

function isPressing({ target }) {
  return Boolean(target.closest?.("button, a[href], summary"));
}
