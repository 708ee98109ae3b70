// Rules as plain objects, as the wire has them, and the words that people read for them. No page.
export const CONDITIONS = {
  in_zone: { words: "is in a zone", place: "zone" },
  crossed: { words: "crosses a line", place: "line" },
  crowded: { words: "are many in a zone", place: "zone" },
  heading: { words: "moves in a direction", place: "zone" },
  left_behind: { words: "is left behind", place: "zone" },
  tampered: { words: "camera is tampered with", place: null },
};
export const NOWHERE = "00000000-0000-0000-0000-000000000000"; // a rule that waits for its place
const FRESH = {
  in_zone: { after_s: 0 },
  crossed: { direction: "either" },
  crowded: { at_least: 3, after_s: 2 },
  heading: { degrees: 0, within_degrees: 45, after_s: 1 },
  left_behind: { after_s: 30 },
  tampered: { after_s: 5 },
};
export const WAYS = [
  [0, "to the right →"], [45, "down to the right ↘"], [90, "down ↓"], [135, "down to the left ↙"],
  [180, "to the left ←"], [225, "up to the left ↖"], [270, "up ↑"], [315, "up to the right ↗"],
];

// The key of a condition that names its zone or line; null for one about the camera itself.
export function placeKey({ when }) {
  const { place } = CONDITIONS[when];
  return place && `${place}_id`;
}

// A condition of another sort about the same place, where there is one.
export function freshCondition(when, shapes, before = {}) {
  const condition = { when, ...FRESH[when] };
  const key = placeKey(condition);
  if (key) condition[key] = before[key] ?? shapes.find(({ kind }) => kind === CONDITIONS[when].place)?.id ?? NOWHERE;
  return condition;
}

// Of the shape that is selected, where a rule can be of it.
export function newRule(ruleId, shapes, selected = null) {
  const chosen = shapes.filter(({ id }) => id === selected);
  const isThere = (kind) => shapes.some((shape) => shape.kind === kind);
  const isChosen = (kind) => chosen.some((shape) => shape.kind === kind);
  const when = isThere("zone") && !isChosen("line") ? "in_zone" : isThere("line") ? "crossed" : "tampered";
  return {
    rule_id: ruleId, name: "", condition: freshCondition(when, [...chosen, ...shapes]), labels: [], severity: "warning", quiet_s: 0,
  };
}

// The rule with no place where its own is gone, so that it is seen to wait for another.
export function retargeted(rule, shapes) {
  const key = placeKey(rule.condition);
  if (!key || shapes.some(({ id }) => id === rule.condition[key])) return rule;
  return { ...rule, condition: { ...rule.condition, [key]: NOWHERE } };
}

// What a rule is called as long as nobody names it.
export function wordsOf({ condition, labels }, shapes) {
  const place = shapes.find(({ id }) => id === condition[placeKey(condition)])?.name ?? "…";
  const who = labels.length ? capital(labels.join(", ")) : "Anything";
  const words = {
    in_zone: () => `${who} in ${place}`,
    crossed: () => `${who} crosses ${place}`,
    crowded: () => `${condition.at_least} or more in ${place}`,
    heading: () => `${who} moves ${wayWords(condition.degrees)} in ${place}`,
    left_behind: () => `${who} left behind in ${place}`,
    tampered: () => "Camera tampered with",
  };
  return words[condition.when]().slice(0, 200);
}

function wayWords(degrees) {
  const known = WAYS.find(([way]) => way === degrees);
  return known ? known[1].replace(/ \S$/, "") : `towards ${degrees}°`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
