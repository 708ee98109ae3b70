// The rules: each a sentence that begins with "Tell me when" and is filled in.
import { error, h, iconButton, number, rebuild, select } from "./elements.js";
import { CONDITIONS, NOWHERE, WAYS, freshCondition, newRule, placeKey, wordsOf } from "./rule-words.js";
import { newId } from "./shapes.js";

const SEVERITIES = [["info", "a note"], ["warning", "a warning"], ["error", "an alarm"]];
const DIRECTIONS = [["either", "either way"], ["forward", "along its arrow"], ["backward", "against its arrow"]];
const LONGEST_S = 86400;

export class RuleList {
  #root; #editing; #classes;

  constructor(root, { editing, classes }) {
    this.#root = root;
    this.#editing = editing;
    this.#classes = classes;
  }

  show(errors = {}) {
    const { rules } = this.#editing;
    const cards = rules.map((rule, index) => this.#card(rule, index, errors));
    if (!cards.length) cards.push(h("li", { class: "scene-none" }, "No rules: events are raised for the camera itself alone."));
    rebuild(this.#root, cards);
  }

  add() {
    const rule = newRule(newId(), this.#editing.shapes, this.#editing.selected);
    this.#editing.addRule(rule);
    this.#root.querySelector(`[data-focus="when ${rule.rule_id}"]`)?.focus();
  }

  #card(rule, index, errors) {
    const { rule_id: id, condition } = rule;
    // While somebody types, only what the rule is called is shown anew: `rule` is older than that.
    const current = () => this.#editing.rules[index];
    const type = (change) => this.#editing.setRule(index, { ...current(), ...change }, "rule-list");
    const choose = (change) => this.#editing.setRule(index, { ...current(), ...change });
    const deeds = {
      about: (change) => type({ condition: { ...current().condition, ...change } }),
      put: (change) => choose({ condition: { ...current().condition, ...change } }),
    };
    const name = h("input", {
      class: "input input--small scene-rule__name", value: rule.name, maxlength: 200, "data-focus": `name ${id}`,
      "aria-label": "Name of the rule", placeholder: wordsOf(rule, this.#editing.shapes),
      onInput: ({ target }) => type({ name: target.value }),
    });
    const isOfCamera = condition.when === "tampered";
    const conditions = Object.entries(CONDITIONS).map(([when, { words }]) => [when, words]);
    const wrong = Object.entries(errors).filter(([field]) => field.startsWith(`scene.rules.${index}.`));
    return h("li", { class: "scene-rule", "data-rule": id },
      h("div", { class: "scene-rule__head" }, name,
        iconButton("trash", "Delete the rule", () => this.#editing.removeRule(index), { "data-focus": `delete ${id}` })),
      h("div", { class: "scene-rule__line" },
        h("span", {}, "Tell me when"), isOfCamera ? null : this.#classPicker(rule, index),
        select(conditions, condition.when,
          (when) => choose({ condition: freshCondition(when, this.#editing.shapes, current().condition) }),
          { "data-focus": `when ${id}`, "aria-label": "What happens" })),
      h("div", { class: "scene-rule__line" }, ...this.#details(rule, deeds)),
      h("div", { class: "scene-rule__line" },
        h("span", {}, "as"),
        select(SEVERITIES, rule.severity, (severity) => choose({ severity }), { "data-focus": `severity ${id}`, "aria-label": "Severity" }),
        h("span", {}, "then quiet for"), this.#seconds(rule.quiet_s, (quiet_s) => type({ quiet_s }), "Quiet time in seconds", `quiet ${id}`)),
      ...wrong.map(([, words]) => error(words.join(" "))));
  }

  // `about` takes what is typed, `put` what is chosen.
  #details(rule, { about, put }) {
    const { rule_id: id, condition } = rule;
    const after = (words) => [
      h("span", {}, words), this.#seconds(condition.after_s, (after_s) => about({ after_s }), "How long, in seconds", `after ${id}`),
    ];
    const place = (words) => [h("span", {}, words), this.#place(rule, put)];
    const details = {
      in_zone: () => [...place("in"), ...after("for at least")],
      crossed: () => [...place("over"), select(DIRECTIONS, condition.direction,
        (direction) => put({ direction }), { "data-focus": `way ${id}`, "aria-label": "Direction" })],
      crowded: () => [h("span", {}, "at least"), number(condition.at_least, { min: 1, max: 1000, step: 1 },
        (n) => about({ at_least: n }), { "aria-label": "How many", "data-focus": `n ${id}` }), ...place("at once in"), ...after("for")],
      heading: () => [...place("in"), select(waysWith(condition.degrees), condition.degrees,
        (degrees) => put({ degrees: Number(degrees) }),
        { "data-focus": `degrees ${id}`, "aria-label": "Where to" }), ...after("for")],
      left_behind: () => [...place("in"), ...after("with nobody near for")],
      tampered: () => [h("span", {}, "covered, moved, out of focus or frozen"), ...after("for")],
    };
    return details[condition.when]();
  }

  #place(rule, put) {
    const { condition } = rule, key = placeKey(condition), { place } = CONDITIONS[condition.when];
    const found = this.#editing.of(place).map(({ id, name }) => [id, name || "(no name)"]);
    const isThere = condition[key] !== NOWHERE;
    const options = isThere ? found : [[NOWHERE, found.length ? `choose a ${place}…` : `draw a ${place} first`], ...found];
    return select(options, condition[key], (id) => put({ [key]: id }), {
      "data-focus": `place ${rule.rule_id}`, "aria-label": place === "zone" ? "Zone" : "Line", "aria-invalid": String(!isThere),
    });
  }

  #seconds(value, onInput, label, focus) {
    return h("span", { class: "scene-unit" }, number(value, { min: 0, max: LONGEST_S }, onInput, { "aria-label": label, "data-focus": focus }), "s");
  }

  #classPicker(rule, index) {
    const { labels, rule_id: id } = rule;
    const choose = (chosen) => this.#editing.setRule(index, { ...this.#editing.rules[index], labels: chosen });
    const chips = labels.map((label) => h("button", {
      type: "button", class: "chip", "aria-label": `Not ${label}`, onClick: () => choose(labels.filter((each) => each !== label)),
    }, label, h("span", { "aria-hidden": "true" }, "×")));
    const add = ({ target }) => {
      const label = target.value.trim();
      if (label && !labels.includes(label)) choose([...labels, label]);
      else target.value = "";
    };
    const known = new Set(this.#classes);
    const input = h("input", {
      class: "input input--small scene-class", list: "scene-classes", maxlength: 200, autocomplete: "off", autocapitalize: "off",
      "data-focus": `class ${id}`, "aria-label": "Add a class", placeholder: labels.length ? "or …" : "anything",
      onChange: add,
      // What was picked from the list is meant; what is typed, only once it is complete.
      onInput: (event) => event.inputType !== "insertText" && known.has(event.target.value) && add(event),
      onKeydown: (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        add(event);
      },
    });
    return h("span", { class: "scene-classes" }, ...chips, input);
  }
}

function waysWith(degrees) {
  return WAYS.some(([way]) => way === degrees) ? WAYS : [[degrees, `${degrees}°`], ...WAYS];
}
