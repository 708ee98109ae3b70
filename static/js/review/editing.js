// One picture being corrected: what it is answered with, which box is in hand, and the way back.
// An answer is { boxes, classes (of the picture as a whole), findings (said by hand: prediction ->
// finding) }, immutable. No page.
import {
  BOTTOM_RIGHT, CORNERS, boxesOf, fateOf, inTheMiddle, isSame, moved, newId, removedFrom, repeated,
  resized,
} from "./boxes.js";
import { findingAfter, findingOf } from "./findings.js";
import { History } from "./history.js";

export class Editing {
  answer; selected = null; corner = null; label; isReadOnly = false;
  #first; #gap = 0; // where Tab goes on after a box was let go or deleted
  #history = new History(); #before = null; #changed;

  // `saved`: an answer to begin with instead of the item's own; `label`: the class of new boxes.
  constructor(item, { saved, label, changed }) {
    this.item = item;
    this.#first = item.classes ?? [];
    this.answer = {
      boxes: boxesOf(item, saved?.boxes),
      classes: saved?.classes ?? this.#first,
      findings: saved?.findings ?? {},
    };
    this.isReadOnly = item.state !== "open";
    this.label = item.labels.includes(label) ? label : item.frequent_labels[0] ?? item.labels[0];
    this.#changed = changed;
  }

  get boxes() {
    return this.answer.boxes;
  }

  get box() {
    return this.boxes.find(({ id }) => id === this.selected) ?? null;
  }

  get isAsPredicted() {
    return this.nChanges === 0;
  }

  get removed() {
    return removedFrom(this.boxes, this.item.predictions);
  }

  // How many things differ from what the model said.
  get nChanges() {
    const { boxes, classes, findings } = this.answer;
    const kept = new Set(boxes.filter((box) => fateOf(box, this.item.predictions) === "kept").map(({ prediction }) => prediction));
    const isOther = (index) => !kept.has(index) || index in findings;
    const ofClasses = classes.filter((name) => !this.#first.includes(name)).length
      + this.#first.filter((name) => !classes.includes(name)).length;
    return boxes.filter(({ prediction }) => prediction === null).length
      + [...this.item.predictions.keys()].filter(isOther).length + ofClasses;
  }

  // Boxes in the order of the list and of Tab: what the model was least sure of comes first.
  get ordered() {
    const score = ({ prediction }) => this.item.predictions[prediction]?.score ?? 2;
    return [...this.boxes].sort((a, b) => score(a) - score(b));
  }

  select(id) {
    if (this.selected === id) return;
    this.#take(id);
    this.#changed("selection");
  }

  // The box after (or before) the one in hand; false past either end.
  step(by) {
    const order = this.ordered.map(({ id }) => id);
    const at = this.selected === null ? this.#gap - (by > 0 ? 1 : 0) : order.indexOf(this.selected);
    const next = order[at + by] ?? null;
    if (next === null) this.#gap = by > 0 ? 0 : order.length;
    this.select(next);
    return next !== null;
  }

  // The next corner of the box in hand, which arrows then move; past the last, the whole box again.
  stepCorner() {
    if (this.isReadOnly || !this.box) return false;
    const next = this.corner === null ? 0 : this.corner + 1;
    this.corner = next < CORNERS.length ? next : null;
    this.#changed("selection");
    return true;
  }

  // Move the box in hand, or the corner of it that is.
  nudge(dx, dy) {
    if (this.corner !== null) return this.resize(dx, dy);
    return this.#replace((box) => moved(box, dx, dy, this.item), `nudge ${this.selected}`);
  }

  resize(dx, dy) {
    const corner = this.corner ?? BOTTOM_RIGHT;
    return this.#replace((box) => resized(box, corner, dx, dy, this.item), `resize ${this.selected} ${corner}`);
  }

  // The class of the box in hand, and of the next new one.
  reclass(label) {
    this.label = label;
    if (!this.box) this.#changed("label");
    else this.#replace((box) => ({ ...box, label }));
  }

  // Say, or no longer say, that the picture as a whole is of this class.
  toggleClass(name) {
    if (this.isReadOnly) return;
    const { classes } = this.answer;
    const others = classes.filter((each) => each !== name);
    this.#write({ classes: others.length < classes.length ? others : [...classes, name] });
  }

  findingOf(index) {
    return findingOf(index, this.answer, this.item.predictions);
  }

  // What was found of a prediction, when that is not what the boxes say.
  find(index, finding) {
    if (this.isReadOnly) return;
    const { [index]: _, ...others } = this.answer.findings;
    const plain = findingOf(index, { boxes: this.boxes, findings: others }, this.item.predictions);
    this.#write({ findings: finding === plain ? others : { ...others, [index]: finding } });
  }

  // The next finding of the prediction that the box in hand stands for.
  stepFinding() {
    const index = this.box?.prediction ?? null;
    if (index === null) return false;
    this.find(index, findingAfter(this.findingOf(index)));
  }

  add() {
    if (this.isReadOnly) return;
    const nNew = this.boxes.filter(({ prediction }) => prediction === null).length;
    this.#insert(inTheMiddle(this.label, nNew));
  }

  // Add another picture's boxes; return how many were not here.
  repeat(others) {
    const boxes = this.isReadOnly ? [] : repeated(others, this.boxes, this.item.labels);
    if (boxes.length) this.#write({ boxes: [...this.boxes, ...boxes] });
    return boxes.length;
  }

  // Begin with somebody else's answer instead.
  takeOver({ boxes, classes }) {
    this.#take(null);
    this.#write({ boxes: boxesOf(this.item, boxes), classes, findings: {} });
  }

  remove(id = this.selected) {
    const index = this.ordered.findIndex((box) => box.id === id);
    if (this.isReadOnly || index < 0) return false;
    if (this.selected === id) {
      this.#take(null);
      this.#gap = index;
    }
    this.#write({ boxes: this.boxes.filter((box) => box.id !== id) });
    return true;
  }

  // Bring back a prediction that was removed.
  restore(prediction) {
    const { xyxy, label } = this.item.predictions[prediction];
    this.#insert({ id: newId(), xyxy, polygon: null, label, prediction });
  }

  undo() {
    this.#travel(this.#history.undo(this.answer));
  }

  redo() {
    this.#travel(this.#history.redo(this.answer));
  }

  // What the pointer does, from `Surface`; a place is { xyxy, polygon }.
  drag(id, place) {
    this.#before ??= this.answer;
    const boxes = this.boxes.map((box) => (box.id === id ? { ...box, ...place } : box));
    this.answer = { ...this.answer, boxes };
    this.#changed("dragging");
  }

  dragEnd({ isGivenUp = false } = {}) {
    const before = this.#before;
    this.#before = null;
    if (!before) return;
    const isChanged = this.boxes.some((box, index) => !isSame(box, before.boxes[index]));
    if (isChanged && !isGivenUp) this.#history.remember(before);
    else this.answer = before;
    this.#changed("boxes");
  }

  draw(id, place) {
    this.#insert({ id, ...place, label: this.label, prediction: null });
  }

  #take(id) {
    this.selected = id;
    this.corner = null;
  }

  #insert(box) {
    if (this.isReadOnly) return;
    this.#take(box.id);
    this.#write({ boxes: [...this.boxes, box] });
  }

  #replace(change, kind = null) {
    if (this.isReadOnly || !this.box) return false;
    const { selected } = this;
    this.#write({ boxes: this.boxes.map((box) => (box.id === selected ? change(box) : box)) }, kind);
    return true;
  }

  #write(part, kind = null) {
    this.#history.remember(this.answer, kind);
    this.answer = { ...this.answer, ...part };
    this.#changed("boxes");
  }

  #travel(answer) {
    if (!answer || this.isReadOnly) return;
    this.answer = answer;
    if (!this.box) this.#take(null);
    this.#changed("boxes");
  }
}
