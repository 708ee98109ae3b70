// Colours that stay: a class has the same one in every picture and chart of a page, a track while
// it lives.
// On video, whatever the theme: bright enough for black text on them.
const ON_VIDEO = ["#8ea3ff", "#ff9a4d", "#3fd6b8", "#f283de", "#ecc94b", "#55c1f7", "#ff8698", "#aede55"];

function hash(text) {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0), 16777619);
  return value >>> 0;
}

const USUAL = { person: 0, car: 1, bicycle: 2, truck: 3, bus: 4, motorcycle: 5, dog: 6, "traffic light": 7 };
const taken = new Map();

// The class's usual place; the next free one when another class of this page has it already.
function slot(label) {
  if (!taken.has(label)) {
    const wanted = USUAL[label] ?? hash(label) % ON_VIDEO.length;
    const used = new Set(taken.values());
    let free = wanted;
    for (let step = 0; step < ON_VIDEO.length && used.has(free); step += 1) free = (free + 1) % ON_VIDEO.length;
    taken.set(label, used.has(free) ? wanted : free);
  }
  return taken.get(label);
}

export function labelOnVideo(label) {
  return ON_VIDEO[slot(label)];
}

export function trackOnVideo(track) {
  return ON_VIDEO[Math.imul(track, 2654435761) >>> 29];
}

// Of the so-manieth thing that has no name to go by.
export function onVideo(index) {
  return ON_VIDEO[index % ON_VIDEO.length];
}

export function labelVariable(label) {
  return `var(--series-${slot(label) + 1})`;
}

// What a CSS colour, variables and light-dark() included, is right now: for canvases.
export function resolved(colour, within = document.body) {
  const probe = document.createElement("i");
  probe.style.color = colour;
  probe.hidden = true;
  within.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
