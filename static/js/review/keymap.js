// Which key does which deed, in the order and words of the help.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ARROW_CAPS = ["←", "↑", "↓", "→"];
const BIG_STEP = 10;

// deeds: functions by name; one that returns false leaves the key to the browser.
export function keymap(deeds) {
  return [
    group("Decide", [
      [["a"], ["A"], "Accept all, next picture", deeds.accept],
      [["Enter", "n"], ["Enter", "N"], "Save, next picture", deeds.save],
      [["s"], ["S"], "Skip: not me, or nobody can tell", deeds.skip],
      [["z"], ["Z"], "Take back the last decision", deeds.takeBack],
    ]),
    group("Boxes", [
      [["Tab"], ["Tab"], "Next box; past the last, on to the list", () => deeds.step(1)],
      [["Shift+Tab"], ["Shift", "Tab"], "Box before", () => deeds.step(-1)],
      [arrows(""), ARROW_CAPS, "Move by a pixel; with Shift by ten", (keys) => deeds.nudge(...pixels(keys))],
      [arrows("Alt+"), ["Alt", ...ARROW_CAPS], "Resize by a pixel; with Shift by ten", (keys) => deeds.resize(...pixels(keys))],
      [["x", "Delete", "Backspace"], ["X", "Delete"], "Delete the box", deeds.remove],
      [["b"], ["B"], "New box in the middle", deeds.add],
      [["d"], ["D"], "Draw over boxes: on, off", deeds.draw],
      [["Escape"], ["Esc"], "Let go of the box", deeds.letGo],
    ]),
    group("Classes", [
      [[..."123456789"], ["1", "…", "9"], "Common classes", (key) => deeds.reclass(key - 1)],
      [["c"], ["C"], "Any class, by name", deeds.choose],
    ]),
    group("View", [
      [["h"], ["H"], "Hide boxes: on, off", deeds.hide],
      [["Ctrl+z"], ["Ctrl", "Z"], "Undo the last change here", deeds.back],
      [["Ctrl+y", "Ctrl+Shift+z"], ["Ctrl", "Y"], "Redo", deeds.forth],
      [["?"], ["?"], "This help", deeds.help],
    ]),
  ].flat();
}

function group(name, rows) {
  return rows.map(([keys, shown, does, run]) => ({ group: name, keys, shown, does, run }));
}

function arrows(prefix) {
  return Object.keys(ARROWS).flatMap((key) => [prefix + key, `${prefix}Shift+${key}`]);
}

function pixels(combination) {
  const step = combination.includes("Shift") ? BIG_STEP : 1;
  return ARROWS[combination.split("+").at(-1)].map((way) => way * step);
}
