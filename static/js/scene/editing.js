// One drawing being edited: its shapes and rules, what is in hand, and the way back. No page.
import { History } from "../review/history.js";
import * as shapes from "./shapes.js";
import { retargeted } from "./rule-words.js";

const NAMES = { zone: "Zone", line: "Line" };

export class Editing {
  selected = null; corner = null;
  #state; #saved; #before = null; #history = new History(); #changed;

  // `changed(what, source)`: "selection", "dragging", "shapes" or "rules"; who made it, if they say.
  constructor(drawing, { limits, mayUnhide, changed }) {
    this.limits = limits;
    this.mayUnhide = mayUnhide;
    this.#changed = changed;
    this.begin(drawing);
  }

  // Start from what the hub has; the history goes on, so that what was here can be brought back.
  begin(drawing, { isKept = false } = {}) {
    if (isKept) this.#history.remember(this.#state);
    this.revision = drawing.revision;
    this.#state = this.#saved = shapes.fromWire(drawing);
    this.select(null);
    this.#changed("shapes");
  }

  // The hub has taken what is here, but for what changed since it was sent.
  settle(revision, sent) {
    this.revision = revision;
    this.#saved = sent;
    this.#changed("saved");
  }

  get state() {
    return this.#state;
  }

  get shapes() {
    return this.#state.shapes;
  }

  get rules() {
    return this.#state.rules;
  }

  get shape() {
    return this.find(this.selected);
  }

  get isChanged() {
    return JSON.stringify(this.#state) !== JSON.stringify(this.#saved);
  }

  get document() {
    return shapes.toWire(this.#state, this.revision);
  }

  find(id) {
    return this.shapes.find((shape) => shape.id === id) ?? null;
  }

  of(kind) {
    return this.shapes.filter((shape) => shape.kind === kind);
  }

  isLocked(shape) {
    return shape.kind === "hidden" && !this.mayUnhide;
  }

  mayAdd(kind) {
    if (kind === "hidden" && !this.mayUnhide) return false;
    return this.of(kind).length < (kind === "region" ? 1 : this.limits.zones);
  }

  select(id, corner = null) {
    if (this.selected === id && this.corner === corner) return;
    [this.selected, this.corner] = [id, corner];
    this.#changed("selection");
  }

  add(kind, points) {
    if (!this.mayAdd(kind) || shapes.isSlip(kind, points)) return null;
    const shape = shapes.newShape(kind, points, NAMES[kind] ? this.#freeName(kind) : "");
    [this.selected, this.corner] = [shape.id, null];
    this.#write({ shapes: [...this.shapes, shape] });
    return shape;
  }

  rename(id, name, source) {
    this.#replace(id, (shape) => ({ ...shape, name }), `name ${id}`, source);
  }

  turnRound(id) {
    this.#replace(id, shapes.turnedRound);
  }

  // By the keyboard: a corner, or all of the shape where no corner is in hand.
  nudge(dx, dy) {
    const { corner } = this;
    return this.#replace(this.selected, (shape) => {
      if (corner === null) return shapes.moved(shape, dx, dy);
      const [x, y] = shape.points[corner];
      return shapes.cornerAt(shape, corner, [x + dx, y + dy]);
    }, `nudge ${this.selected} ${corner}`);
  }

  addCorner(after, point) {
    const { shape } = this;
    if (!shape || this.isLocked(shape) || !shapes.hasCornersToAdd(shape, this.limits.points)) return false;
    this.corner = after + 1;
    return this.#replace(shape.id, () => shapes.withCorner(shape, after, point));
  }

  // The corner in hand; the shape where none is, or where too few corners would be left.
  remove() {
    const { shape, corner } = this;
    if (!shape || this.isLocked(shape)) return;
    const left = corner === null ? null : shapes.withoutCorner(shape, corner);
    if (left) {
      this.corner = Math.min(corner, left.points.length - 1);
      this.#replace(shape.id, () => left);
    } else if (corner === null) {
      this.removeShape(shape.id);
    }
  }

  removeShape(id) {
    const shape = this.find(id);
    if (!shape || this.isLocked(shape)) return;
    if (this.selected === id) [this.selected, this.corner] = [null, null];
    this.#write({ shapes: this.shapes.filter((each) => each.id !== id) });
  }

  // What the pointer does: `drag` again and again, then `dragEnd`.
  drag(change) {
    const { shape } = this;
    if (!shape || this.isLocked(shape)) return;
    this.#before ??= this.#state;
    const origin = this.#before.shapes.find(({ id }) => id === shape.id) ?? shape;
    this.#state = { ...this.#state, shapes: this.shapes.map((each) => (each === shape ? change(origin) : each)) };
    this.#changed("dragging");
  }

  dragEnd() {
    const before = this.#before;
    this.#before = null;
    if (!before) return;
    if (JSON.stringify(before) !== JSON.stringify(this.#state)) this.#history.remember(before);
    this.#changed("shapes");
  }

  setRule(index, rule, source) {
    const kind = source ? `rule ${rule.rule_id}` : null;
    this.#write({ rules: this.rules.with(index, rule) }, { kind, source, what: "rules" });
  }

  addRule(rule) {
    if (this.rules.length < this.limits.rules) this.#write({ rules: [...this.rules, rule] }, { what: "rules" });
  }

  removeRule(index) {
    this.#write({ rules: this.rules.toSpliced(index, 1) }, { what: "rules" });
  }

  undo() {
    this.#travel(this.#history.undo(this.#state));
  }

  redo() {
    this.#travel(this.#history.redo(this.#state));
  }

  #replace(id, change, kind = null, source = undefined) {
    const shape = this.find(id);
    if (!shape || this.isLocked(shape)) return false;
    this.#write({ shapes: this.shapes.map((each) => (each === shape ? change(shape) : each)) }, { kind, source });
    return true;
  }

  #write(part, { kind = null, source, what = "shapes" } = {}) {
    this.#history.remember(this.#state, kind);
    const next = { ...this.#state, ...part };
    // A rule about a zone that is gone would never be true again: it is put to another, or waits.
    this.#state = part.shapes ? { ...next, rules: next.rules.map((rule) => retargeted(rule, next.shapes)) } : next;
    this.#changed(what, source);
  }

  #travel(state) {
    if (!state) return;
    this.#state = state;
    if (!this.shape) [this.selected, this.corner] = [null, null];
    if (this.corner !== null && this.corner >= this.shape.points.length) this.corner = null;
    this.#changed("shapes");
  }

  #freeName(kind) {
    const taken = new Set(this.of(kind).map(({ name }) => name));
    let number = this.of(kind).length + 1;
    while (taken.has(`${NAMES[kind]} ${number}`)) number += 1;
    return `${NAMES[kind]} ${number}`;
  }
}
