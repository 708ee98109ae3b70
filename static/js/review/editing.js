// One picture being corrected: its boxes, which one is in hand, and the way back. No page.
import {
  boxesOf, inTheMiddle, isAsPredicted, isSame, moved, newId, removedFrom, resized,
} from "./boxes.js";
import { History } from "./history.js";

export class Editing {
  boxes; selected = null; label; isReadOnly = false;
  #gap = 0; // where Tab goes on after a box was let go or deleted
  #history = new History(); #before = null; #changed;

  // `saved`: boxes to begin with instead of the item's own; `label`: the class of new boxes.
  constructor(item, { saved, label, changed }) {
    this.item = item;
    this.boxes = boxesOf(item, saved);
    this.isReadOnly = item.state !== "open";
    this.label = item.labels.includes(label) ? label : item.frequent_labels[0] ?? item.labels[0];
    this.#changed = changed;
  }

  get box() {
    return this.boxes.find(({ id }) => id === this.selected) ?? null;
  }

  get isAsPredicted() {
    return isAsPredicted(this.boxes, this.item.predictions);
  }

  get removed() {
    return removedFrom(this.boxes, this.item.predictions);
  }

  // Boxes in the order of the list and of Tab: what the model was least sure of comes first.
  get ordered() {
    const score = ({ prediction }) => this.item.predictions[prediction]?.score ?? 2;
    return [...this.boxes].sort((a, b) => score(a) - score(b));
  }

  select(id) {
    if (this.selected === id) return;
    this.selected = id;
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

  nudge(dx, dy) {
    return this.#replace((box) => moved(box, dx, dy, this.item), `nudge ${this.selected}`);
  }

  resize(dx, dy) {
    return this.#replace((box) => resized(box, dx, dy, this.item), `resize ${this.selected}`);
  }

  // The class of the box in hand, and of the next new one.
  reclass(label) {
    this.label = label;
    if (!this.box) this.#changed("label");
    else this.#replace((box) => ({ ...box, label }));
  }

  add() {
    if (this.isReadOnly) return;
    const nNew = this.boxes.filter(({ prediction }) => prediction === null).length;
    this.#insert(inTheMiddle(this.label, nNew));
  }

  remove(id = this.selected) {
    const index = this.ordered.findIndex((box) => box.id === id);
    if (this.isReadOnly || index < 0) return false;
    if (this.selected === id) [this.selected, this.#gap] = [null, index];
    this.#write(this.boxes.filter((box) => box.id !== id));
    return true;
  }

  // Bring back a prediction that was removed.
  restore(prediction) {
    const { xyxy, label } = this.item.predictions[prediction];
    this.#insert({ id: newId(), xyxy, label, prediction });
  }

  undo() {
    this.#travel(this.#history.undo(this.boxes));
  }

  redo() {
    this.#travel(this.#history.redo(this.boxes));
  }

  // What the pointer does, from `Surface`.
  drag(id, xyxy) {
    this.#before ??= this.boxes;
    this.boxes = this.boxes.map((box) => (box.id === id ? { ...box, xyxy } : box));
    this.#changed("dragging");
  }

  dragEnd() {
    const before = this.#before;
    this.#before = null;
    if (!before) return;
    const isChanged = this.boxes.some((box, index) => !isSame(box, before[index]));
    if (isChanged) this.#history.remember(before);
    else this.boxes = before;
    this.#changed("boxes");
  }

  draw(id, xyxy) {
    this.#insert({ id, xyxy, label: this.label, prediction: null });
  }

  #insert(box) {
    if (this.isReadOnly) return;
    this.selected = box.id;
    this.#write([...this.boxes, box]);
  }

  #replace(change, kind = null) {
    if (this.isReadOnly || !this.box) return false;
    const { selected } = this;
    this.#write(this.boxes.map((box) => (box.id === selected ? change(box) : box)), kind);
    return true;
  }

  #write(boxes, kind = null) {
    this.#history.remember(this.boxes, kind);
    this.boxes = boxes;
    this.#changed("boxes");
  }

  #travel(boxes) {
    if (!boxes || this.isReadOnly) return;
    this.boxes = boxes;
    if (!this.box) this.selected = null;
    this.#changed("boxes");
  }
}
