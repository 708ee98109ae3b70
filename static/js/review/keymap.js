// Which key does which deed, in the order and words of the help.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ARROW_CAPS = ["←", "↑", "↓", "→"];
const BIG_STEP = 10;

// deeds: functions by name; one that returns false leaves the key to the browser.
export function keymap(deeds) {
  const plain = (name, keys, does) => ({ name, keys, does, run: deeds[name] });
  const fixed = (keys, shown, does, run) => ({ name: null, keys, shown: [shown], does, run });
  return [
    group("Decide", [
      plain("accept", ["a"], "Accept all, next picture"),
      plain("save", ["Enter", "n"], "Save, next picture"),
      plain("skip", ["s"], "Skip: not me, or nobody can tell"),
      plain("takeBack", ["z"], "Take back the last decision"),
    ]),
    group("Boxes", [
      fixed(["Tab"], ["Tab"], "Next box; past the last, on to the list", () => deeds.step(1)),
      fixed(["Shift+Tab"], ["Shift", "Tab"], "Box before", () => deeds.step(-1)),
      fixed(arrows(""), ARROW_CAPS, "Move by a pixel; with Shift by ten", (keys) => deeds.nudge(...pixels(keys))),
      fixed(arrows("Alt+"), ["Alt", ...ARROW_CAPS], "Resize by a pixel; with Shift by ten", (keys) => deeds.resize(...pixels(keys))),
      plain("corner", ["k"], "Take a corner for the arrows to move; the next one; all of it"),
      plain("remove", ["x", "Delete", "Backspace"], "Delete the box"),
      plain("add", ["b"], "New box in the middle"),
      plain("draw", ["d"], "Draw over boxes: on, off"),
      plain("outline", ["o"], "Draw an outline, point by point: on, off"),
      plain("repeat", ["p"], "Add the boxes of the picture before"),
      fixed(["Escape"], ["Esc"], "Let go of the box or the tool", () => deeds.letGo()),
    ]),
    group("Classes", [
      fixed([..."123456789"], ["1", "…", "9"], "Common classes", (key) => deeds.reclass(key - 1)),
      plain("choose", ["c"], "Any class, by name"),
      plain("whole", ["w"], "A class for the whole picture"),
      plain("finding", ["v"], "What the model got wrong with this box"),
    ]),
    group("View", [
      plain("hide", ["h"], "Hide boxes: on, off"),
      plain("ghosts", ["g"], "What the model saw: on, off"),
      plain("nearer", ["+", "="], "Nearer"),
      plain("farther", ["-"], "Farther"),
      plain("all", ["0"], "All of the picture"),
      plain("lookAt", ["f"], "Look at the box in hand"),
      plain("light", ["l"], "Brightness and contrast"),
      plain("brighter", ["]"], "Brighter"),
      plain("darker", ["["], "Darker"),
      plain("harder", ["."], "More contrast"),
      plain("softer", [","], "Less contrast"),
    ]),
    group("Else", [
      plain("back", ["Ctrl+z"], "Undo the last change here"),
      plain("forth", ["Ctrl+y", "Ctrl+Shift+z"], "Redo"),
      plain("help", ["?"], "This help"),
    ]),
  ].flat();
}

// A checker's keys: those of the labeler that mean something there.
export function checkKeymap(deeds) {
  const own = [
    ["accept", ["a"]], ["settle", ["Enter"]], ["sendBack", ["r"]],
  ].map(([name, keys]) => ({ name, keys, run: deeds[name] }));
  const taken = own.flatMap(({ keys }) => keys);
  const shared = keymap({ ...deeds, accept: undefined }).filter(({ name, keys, run }) => (
    run && (name === null || name in deeds) && !keys.some((key) => taken.includes(key))
  ));
  return [...own, ...shared];
}

function group(name, rows) {
  return rows.map((row) => ({ group: name, ...row }));
}

function arrows(prefix) {
  return Object.keys(ARROWS).flatMap((key) => [prefix + key, `${prefix}Shift+${key}`]);
}

function pixels(combination) {
  const step = combination.includes("Shift") ? BIG_STEP : 1;
  return ARROWS[combination.split("+").at(-1)].map((way) => way * step);
}
