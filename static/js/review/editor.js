// The editor's page: puts the parts together and says which key and button does what.
import { component } from "../component.js";
import { toast } from "../toasts.js";
import { fateOf } from "./boxes.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { Editing } from "./editing.js";
import { Hub, LoggedOut } from "./hub.js";
import { keymap } from "./keymap.js";
import { keysInWords, listenToKeys } from "./keys.js";
import { Notice } from "./notice.js";
import { Panel } from "./panel.js";
import { Picker } from "./picker.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { FATES, percent, plural, series, timeOf } from "./words.js";

class Editor {
  #root; #stage; #panel; #picker; #notice; #session; #editing = null; #item = null; #image = null;
  #theirs = null; #shown = null; #drawLabel = null; #keyed = new Map(); #isLoggedOut = false;

  constructor(root) {
    this.#root = root;
    this.#stage = new Stage(this.#part("stage"));
    this.#notice = new Notice(this.#part("notice"));
    this.#picker = new Picker(this.#part("picker"));
    this.#panel = new Panel(
      { list: this.#part("boxes"), count: this.#part("count") },
      {
        select: (id) => this.#editing.select(id),
        remove: (id) => this.#editing.remove(id),
        restore: (index) => this.#editing.restore(index),
        choose: (id) => (this.#editing.select(id), this.chooseClass()),
      },
    );
    const { csrf, next, undo, undoOne } = root.dataset;
    this.#session = new Session(new Hub(csrf, { next, undo, undoOne }), this);
    this.#bind();
    this.#session.begin(JSON.parse(document.getElementById("editor-first").textContent));
  }

  // ------------------------------------------------------------ what the session tells

  // `isContested`: the hub has it otherwise than this page; what was typed here is shown.
  show(item, image, isContested = false) {
    this.#item = item;
    this.#image = image;
    this.#theirs = null;
    const draft = draftOf(item);
    const isCurrent = draft?.revision === item.revision && item.state === "open";
    const saved = draft && (isCurrent || isContested) ? draft.boxes : undefined;
    this.#editing = new Editing(item, {
      saved,
      label: this.#drawLabel,
      changed: (what) => this.#changed(what),
    });
    this.#notice.hide();
    this.#root.dataset.state = item.state;
    this.#part("reason").textContent = item.reason;
    this.#part("camera").textContent = item.camera;
    const time = this.#part("time");
    time.textContent = timeOf(item.captured_at);
    time.dateTime = item.captured_at;
    document.title = `${item.camera}: review · Farwatch`;
    this.#keyed.set(item.bundle, this.#keyed.get(item.bundle) ?? item.frequent_labels);
    item.frequent_labels = this.#keyed.get(item.bundle); // keys stay where the hand knows them
    this.#display(this.#editing);
    if (item.state !== "open") this.#showDecided(item);
    this.#part("stage").focus({ preventScroll: true });
    this.#say(`${item.reason}. ${plural(item.boxes.length, "box", "boxes")}.`);
  }

  wait() {
    this.#root.dataset.state = "waiting";
  }

  none() {
    this.#item = null;
    this.#root.dataset.state = "none";
    this.#notice.hide();
    document.title = "Nothing to review · Farwatch";
    this.#part("reason").textContent = "All reviewed";
    this.#part("camera").textContent = this.#part("time").textContent = "";
    this.#stage.clear(this.#part("none").content.cloneNode(true));
    this.#say("Nothing is left to review.");
  }

  status({ n_open: nOpen, n_mine_today: nMine }) {
    this.#part("left").textContent = `${nOpen} left`;
    this.#part("mine").textContent = `${nMine} done today`;
    const share = nOpen + nMine ? nMine / (nOpen + nMine) : 1;
    this.#part("progress").style.setProperty("--share", share);
  }

  saving(n, error) {
    const words = this.#part("saving");
    words.hidden = n === 0;
    words.textContent = error ? `${error.message} ${plural(n, "picture waits", "pictures wait")} to be saved` : "Saving…";
    words.dataset.tone = error ? "err" : "";
    if (error instanceof LoggedOut) {
      const words = "You are logged out. Nothing is lost: log in again, and this page goes on.";
      this.#notice.show(words, [["Log in", () => window.open(this.#root.dataset.login), true]], "err");
      this.#isLoggedOut = true;
    } else if (n === 0 && this.#isLoggedOut) {
      this.#notice.hide();
      this.#isLoggedOut = false;
    }
  }

  // The picture on the screen is not this labeler's to decide any more.
  moved({ message, item }) {
    this.#root.dataset.state = "moved";
    keepDraft(this.#item, this.#editing.boxes);
    const next = ["Next picture", () => this.#leave(), true];
    const { decided, held_by: held } = item;
    if (decided?.is_mine) {
      this.#notice.show(`${message} You saved it yourself, perhaps in another tab.`, [
        ["Reopen with these boxes", () => this.#reopenMine(decided), true], next.slice(0, 2),
      ]);
    } else if (decided) {
      this.#theirs = this.#decidedEditing(item);
      const words = `${decided.by} decided this picture ${timeOf(decided.at)}: ${decided.outcome.toLowerCase()}. Your boxes were not saved, and are still here.`;
      this.#notice.show(words, [next, ["Show theirs", (event) => this.#compare(event.target)]]);
    } else if (held && !held.is_me) {
      this.#notice.show(`${held.name} has this picture in hand. Your boxes are still here.`, [
        next, ["Try again", () => this.#session.reopen(item)],
      ]);
    } else {
      this.#notice.show(message, [
        ["Keep my boxes", () => this.#adopt(item), true],
        ["Begin anew", () => (dropDraft(item), this.#session.reopen(item))],
      ]);
    }
    this.#say(this.#part("notice").textContent);
  }

  unsaved(item, error) {
    if (!this.#item) return this.#session.reopen(error.item ?? item, error.item && error);
    const why = error.item ? "It was decided or changed in the meantime." : error.message;
    this.#notice.show(`The picture before was not saved. ${why} Your boxes are kept.`, [
      ["Go back to it", () => this.#session.reopen({ ...item, ...error.item }, error.item && error), true],
      ["Leave it", () => (dropDraft(item), this.#notice.hide())],
    ], "err");
  }

  say(text, tone) {
    toast(text, tone);
  }

  // ------------------------------------------------------------ what the labeler does

  accept() {
    if (!this.#isOpen) return false;
    if (this.#editing.isAsPredicted) return this.save();
    this.say("You changed something: Enter saves your boxes, Ctrl+Z takes the change back.", "warn");
  }

  save() {
    if (!this.#isOpen) return false;
    this.#session.save(this.#editing.boxes);
  }

  chooseClass() {
    if (!this.#isOpen) return false;
    const current = this.#editing.box?.label ?? this.#editing.label;
    this.#picker.open(this.#item, current, (label) => this.#reclass(label));
  }

  #reclass(label) {
    if (!label || !this.#isOpen) return false;
    this.#drawLabel = label;
    this.#editing.reclass(label);
  }

  #skip(skipAs) {
    this.#part("skip").close();
    this.#session.skip(skipAs);
  }

  #leave() {
    dropDraft(this.#item);
    this.#session.advance();
  }

  async #reopenMine(decided) {
    const boxes = this.#editing.boxes;
    try {
      const item = await this.#session.takeBack(decided);
      keepDraft(item, boxes);
      this.#session.reopen(item);
    } catch (error) {
      this.say(error.message, "err");
    }
  }

  #adopt(item) {
    keepDraft(item, this.#editing.boxes);
    this.#session.reopen(item);
  }

  #compare(button) {
    const isTheirs = this.#shown === this.#theirs;
    this.#display(isTheirs ? this.#editing : this.#theirs);
    button.textContent = isTheirs ? "Show theirs" : "Show mine";
  }

  // ------------------------------------------------------------ what the page shows

  get #isOpen() {
    return this.#item !== null && this.#root.dataset.state === "open" && this.#shown === this.#editing;
  }

  #display(editing) {
    this.#shown = editing;
    this.#stage.mount(this.#image, editing);
    this.#panel.show(editing);
    this.#showLabels();
    this.#showVerdict();
  }

  #changed(what) {
    const editing = this.#editing;
    if (this.#shown !== editing) return;
    this.#stage.show(what === "dragging");
    this.#panel.show(editing);
    this.#showLabels();
    if (what !== "selection") {
      this.#showVerdict();
      if (what === "boxes") keepDraft(this.#item, editing.boxes);
    }
    if (what !== "dragging") this.#describe();
  }

  #describe() {
    const { box, item, ordered } = this.#editing;
    if (!box) return this.#say(`No box in hand. New boxes are ${this.#editing.label}.`);
    const seen = item.predictions[box.prediction];
    const place = `${ordered.indexOf(box) + 1} of ${ordered.length}`;
    const fate = FATES[fateOf(box, item.predictions)];
    this.#say([box.label, place, seen && percent(seen.score), fate].filter(Boolean).join(", "));
  }

  #showVerdict() {
    const isAccepted = this.#editing.isAsPredicted;
    this.#root.classList.toggle("is-changed", !isAccepted);
    const { boxes, removed, item } = this.#editing;
    const nChanged = boxes.filter((box) => fateOf(box, item.predictions) !== "kept").length + removed.length;
    this.#part("changes").textContent = isAccepted ? "As predicted" : plural(nChanged, "change");
  }

  #showLabels() {
    const { label, box, item, isReadOnly } = this.#editing;
    const current = box?.label ?? label;
    this.#part("labels-title").textContent = box ? "Class of this box" : "Class of new boxes";
    this.#part("labels").replaceChildren(...item.frequent_labels.map((name, index) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "label-chip";
      chip.disabled = isReadOnly;
      chip.style.setProperty("--series", series(item, name));
      chip.setAttribute("aria-pressed", String(name === current));
      const key = document.createElement("kbd");
      key.textContent = index + 1;
      chip.append(key, name);
      chip.addEventListener("click", () => this.#reclass(name));
      return chip;
    }));
  }

  #showDecided(item) {
    const { decided } = item;
    if (!decided) return;
    const words = `${decided.is_mine ? "You" : decided.by} decided this picture ${timeOf(decided.at)}: ${decided.outcome.toLowerCase()}.`;
    const back = ["Take it back", () => this.#takeBack(decided)];
    this.#notice.show(words, [["Next picture", () => this.#session.advance(), true], ...(decided.is_mine ? [back] : [])], "info");
  }

  async #takeBack(decided) {
    try {
      this.#session.reopen(await this.#session.takeBack(decided));
    } catch (error) {
      this.say(error.message, "err");
    }
  }

  #decidedEditing(item) {
    return new Editing(item, { saved: item.decided.boxes, label: null, changed: () => this.#seeTheirs() });
  }

  #seeTheirs() {
    this.#stage.show();
    this.#panel.show(this.#theirs);
  }

  #say(text) {
    this.#part("says").textContent = text;
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  // ------------------------------------------------------------ keys and buttons

  // What keys and buttons can ask for; false means that it says nothing right now.
  #deeds() {
    const whileOpen = (does) => (...given) => (this.#isOpen ? does(...given) : false);
    return {
      accept: () => this.accept(),
      save: () => this.save(),
      skip: whileOpen(() => this.#part("skip").showModal()),
      passed: () => this.#skip("passed"),
      ambiguous: () => this.#skip("ambiguous"),
      takeBack: () => void this.#session.undo(),
      step: (by) => this.#step(by),
      nudge: whileOpen((dx, dy) => this.#editing.nudge(dx, dy)),
      resize: whileOpen((dx, dy) => this.#editing.resize(dx, dy)),
      remove: whileOpen(() => this.#editing.remove()),
      add: whileOpen(() => this.#editing.add()),
      draw: whileOpen(() => this.#toggleDrawing()),
      letGo: () => this.#letGo(),
      reclass: (index) => this.#reclass(this.#item?.frequent_labels[index]),
      choose: () => this.chooseClass(),
      hide: () => this.#toggleHidden(),
      back: () => this.#travel("undo"),
      forth: () => this.#travel("redo"),
      help: () => this.#part("help").showModal(),
    };
  }

  #bind() {
    const deeds = this.#deeds();
    const keys = keymap(deeds);
    this.#part("keys").replaceChildren(...keysInWords(keys));
    listenToKeys(keys);
    this.#root.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-does]");
      if (pressed) deeds[pressed.dataset.does]();
    });
    this.#part("skip").addEventListener("keydown", ({ key, repeat }) => {
      if (repeat) return;
      if (key === "s") deeds.passed();
      if (key === "t") deeds.ambiguous();
    });
    for (const dialog of this.#root.querySelectorAll("dialog")) {
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
      dialog.addEventListener("close", () => this.#part("stage").focus({ preventScroll: true }));
    }
  }

  // Tab goes through the boxes while the picture has the focus, and leaves it past the last.
  #step(by) {
    const { activeElement } = document;
    const isOnPicture = activeElement === document.body || this.#part("stage").contains(activeElement);
    return isOnPicture && this.#item ? this.#editing.step(by) : false;
  }

  // Always ours: Annotorious has a history of its own, which knows nothing of keys.
  #travel(how) {
    if (this.#isOpen) this.#editing[how]();
  }

  #toggleDrawing() {
    this.#stage.isDrawing = !this.#stage.isDrawing;
    this.#press("draw", this.#stage.isDrawing);
    this.#say(this.#stage.isDrawing ? "Every press on the picture draws a new box." : "Drawing over boxes is off.");
  }

  #toggleHidden() {
    this.#stage.isHidden = !this.#stage.isHidden;
    this.#press("hide", this.#stage.isHidden);
    this.#say(this.#stage.isHidden ? "Boxes are hidden." : "Boxes are shown.");
  }

  #letGo() {
    if (this.#stage.isDrawing) this.#toggleDrawing();
    else if (this.#editing?.selected) this.#editing.select(null);
    else return false;
  }

  #press(name, isPressed) {
    this.#root.querySelector(`[data-does="${name}"]`).setAttribute("aria-pressed", String(isPressed));
  }
}

component("[data-editor]", (root) => void new Editor(root));
