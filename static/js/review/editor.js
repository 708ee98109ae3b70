// The editor's page: puts the parts together and says which key and button does what.
import { component } from "../component.js";
import { toast } from "../toasts.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { Editing } from "./editing.js";
import { FINDINGS, MISSED } from "./findings.js";
import { Hub, LoggedOut } from "./hub.js";
import { KeyHelp } from "./key-help.js";
import { keymap } from "./keymap.js";
import { Keys, capsOf } from "./keys.js";
import { labelChip } from "./label-chip.js";
import { Light } from "./light.js";
import { Notice } from "./notice.js";
import { Panel } from "./panel.js";
import { Picker } from "./picker.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { percent, plural, timeOf } from "./words.js";

const PAN_SHARE = 0.004; // of what is seen, for each pixel that an arrow would move a box
const LOOK_AGAIN_S = 30; // when the hub could not say when
const TOOLS = { draw: "rectangle", outline: "polygon" };

class Editor {
  #root; #stage; #light; #panel; #picker; #notice; #hub; #session; #keys; #editing = null; #item = null;
  #image = null; #theirs = null; #shown = null; #chips = ""; #drawLabel = null; #keyed = new Map(); #isLoggedOut = false;

  constructor(root) {
    this.#root = root;
    this.#stage = new Stage(this.#part("stage"));
    this.#light = new Light(this.#part("stage"), this.#part("light"));
    this.#notice = new Notice(this.#part("notice"));
    this.#picker = new Picker(this.#part("picker"));
    this.#panel = new Panel(
      { list: this.#part("boxes"), count: this.#part("count") },
      {
        select: (id) => this.#editing.select(id),
        remove: (id) => this.#editing.remove(id),
        restore: (index) => this.#editing.restore(index),
        choose: (id) => (this.#editing.select(id), this.chooseClass()),
        find: (index, finding) => this.#editing.find(index, finding),
      },
    );
    const { next, noWork, undo, undoOne, keys } = root.dataset;
    this.#hub = new Hub({ next, noWork, undo, undoOne, keys });
    this.#session = new Session(this.#hub, this);
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
    const saved = draft && (isCurrent || isContested) ? draft.answer : undefined;
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
    else if (item.sent_back) this.#showSentBack(item.sent_back);
    this.#part("stage").focus({ preventScroll: true });
    this.#say(`${item.reason}. ${plural(item.boxes.length, "box", "boxes")}.`);
  }

  wait() {
    this.#root.dataset.state = "waiting";
  }

  // `why`: as a piece of the page; it tells when to look again.
  none(why) {
    this.#item = null;
    this.#root.dataset.state = "none";
    this.#notice.hide();
    document.title = "Nothing to review · Farwatch";
    this.#part("reason").textContent = "No picture in hand";
    this.#part("camera").textContent = this.#part("time").textContent = "";
    this.#stage.clear(this.#part("none").content.cloneNode(true));
    const words = this.#part("no-work");
    if (why) words.innerHTML = why;
    this.#say("Nothing is left to review.");
    return Number(words.querySelector("[data-wait]")?.dataset.wait ?? LOOK_AGAIN_S);
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
    keepDraft(this.#item, this.#editing.answer);
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

  // The picture that was just saved was a known one.
  feedback({ is_right: isRight, n_missed: nMissed, n_wrong: nWrong, note }) {
    const wrong = [nMissed && `${nMissed} missed`, nWrong && `${nWrong} not so`].filter(Boolean).join(", ");
    const words = isRight ? "The picture before was a known one: all right." : `The picture before was a known one: ${wrong}.`;
    toast([words, note].filter(Boolean).join(" "), isRight ? "ok" : "warn");
  }

  say(text, tone) {
    toast(text, tone);
  }

  // ------------------------------------------------------------ what the labeler does

  accept() {
    if (!this.#isOpen) return false;
    if (this.#editing.isAsPredicted) return this.save();
    const [save] = this.#keys.keysOf("save"), [back] = this.#keys.keysOf("back");
    this.say(`You changed something: ${save} saves your boxes, ${back} takes the change back.`, "warn");
  }

  save() {
    if (!this.#isOpen) return false;
    this.#session.save(this.#editing.answer);
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

  #repeat() {
    const nAdded = this.#editing.repeat(this.#session.lastBoxes);
    this.#say(nAdded ? `${plural(nAdded, "box", "boxes")} of the picture before.` : "");
    if (!nAdded) this.say("The picture before has no box that is not here.", "ok");
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
    const { answer } = this.#editing;
    try {
      const item = await this.#session.takeBack(decided);
      keepDraft(item, answer);
      this.#session.reopen(item);
    } catch (error) {
      this.say(error.message, "err");
    }
  }

  #adopt(item) {
    keepDraft(item, this.#editing.answer);
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
      if (what === "boxes") keepDraft(this.#item, editing.answer);
    }
    if (what !== "dragging") this.#describe();
  }

  #describe() {
    const { box, item, ordered, corner } = this.#editing;
    if (!box) return this.#say(`No box in hand. New boxes are ${this.#editing.label}.`);
    const seen = item.predictions[box.prediction];
    const place = `${ordered.indexOf(box) + 1} of ${ordered.length}`;
    const found = seen ? `${percent(seen.score)}, ${FINDINGS[this.#editing.findingOf(box.prediction)]}` : MISSED;
    const inHand = corner === null ? "" : `${["top left", "top right", "bottom right", "bottom left"][corner]} corner`;
    this.#say([box.label, place, found, inHand].filter(Boolean).join(", "));
  }

  #showVerdict() {
    const { isAsPredicted, nChanges } = this.#editing;
    this.#root.classList.toggle("is-changed", !isAsPredicted);
    this.#part("changes").textContent = isAsPredicted ? "As predicted" : plural(nChanges, "change");
  }

  #showLabels() {
    const { label, box, item, isReadOnly, answer } = this.#shown;
    const current = box?.label ?? label;
    const chips = JSON.stringify([current, box !== null, isReadOnly, answer.classes, item.labels, item.frequent_labels]);
    if (chips === this.#chips) return;
    this.#chips = chips;
    this.#part("labels-title").textContent = box ? "Class of this box" : "Class of new boxes";
    this.#part("labels").replaceChildren(...item.frequent_labels.map((name, index) => {
      const key = document.createElement("kbd");
      key.textContent = index + 1;
      return labelChip(item, name, { isPressed: name === current, isReadOnly }, () => this.#reclass(name), key);
    }));
    this.#part("classes").replaceChildren(...answer.classes.map((name) => (
      labelChip(item, name, { isPressed: true, isReadOnly }, () => this.#editing.toggleClass(name))
    )));
  }

  #showDecided(item) {
    const { decided } = item;
    if (!decided) return;
    const words = `${decided.is_mine ? "You" : decided.by} decided this picture ${timeOf(decided.at)}: ${decided.outcome.toLowerCase()}.`;
    const back = ["Take it back", () => this.#takeBack(decided)];
    this.#notice.show(words, [["Next picture", () => this.#session.advance(), true], ...(decided.is_mine ? [back] : [])], "info");
  }

  #showSentBack({ by, reasons, comment }) {
    const why = [reasons.join(", ").toLowerCase(), comment && `“${comment}”`].filter(Boolean).join(": ");
    this.#notice.show(`${by} sent this back to you: ${why}.`, [["I see", () => this.#notice.hide()]]);
    this.#say(this.#part("notice").textContent);
  }

  async #takeBack(decided) {
    try {
      this.#session.reopen(await this.#session.takeBack(decided));
    } catch (error) {
      this.say(error.message, "err");
    }
  }

  #decidedEditing(item) {
    const { boxes, classes, findings } = item.decided;
    const saved = { boxes, classes, findings: { ...findings?.predictions } };
    return new Editing(item, { saved, label: null, changed: () => this.#seeTheirs() });
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
    const { view } = this.#stage;
    return {
      accept: () => this.accept(),
      save: () => this.save(),
      skip: whileOpen(() => this.#part("skip").showModal()),
      passed: () => this.#skip("passed"),
      ambiguous: () => this.#skip("ambiguous"),
      takeBack: () => void this.#session.undo(),
      step: (by) => this.#step(by),
      nudge: (dx, dy) => this.#nudge(dx, dy),
      resize: whileOpen((dx, dy) => this.#editing.resize(dx, dy)),
      corner: whileOpen(() => this.#editing.stepCorner()),
      remove: whileOpen(() => !this.#stage.hasPointTaken && this.#editing.remove()),
      add: whileOpen(() => this.#editing.add()),
      draw: whileOpen(() => this.#toggleTool("draw")),
      outline: whileOpen(() => this.#toggleTool("outline")),
      repeat: whileOpen(() => this.#repeat()),
      letGo: () => this.#letGo(),
      reclass: (index) => this.#reclass(this.#item?.frequent_labels[index]),
      choose: () => this.chooseClass(),
      whole: whileOpen(() => this.#picker.open(this.#item, null, (name) => this.#editing.toggleClass(name))),
      finding: whileOpen(() => this.#editing.stepFinding()),
      hide: () => this.#toggle("isHidden", "hide", "Boxes are hidden.", "Boxes are shown."),
      ghosts: () => this.#toggle("hasGhosts", "ghosts", "What the model saw is shown.", "What the model saw is hidden."),
      nearer: () => view.nearer(),
      farther: () => view.farther(),
      all: () => view.whole(),
      lookAt: () => (this.#editing?.box ? view.lookAt(this.#editing.box.xyxy) : false),
      brighter: () => this.#lighten("brightness", 1),
      darker: () => this.#lighten("brightness", -1),
      harder: () => this.#lighten("contrast", 1),
      softer: () => this.#lighten("contrast", -1),
      light: () => this.#toggleLight(),
      back: () => this.#travel("undo"),
      forth: () => this.#travel("redo"),
      help: () => this.#part("help").showModal(),
    };
  }

  #bind() {
    const deeds = this.#deeds();
    const chosen = JSON.parse(document.getElementById("editor-keys").textContent);
    this.#keys = new Keys(keymap(deeds), chosen, (keys) => this.#keepKeys(keys));
    new KeyHelp(this.#part("help"), this.#keys, () => this.#nameKeys());
    this.#nameKeys();
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

  async #keepKeys(keys) {
    try {
      await this.#hub.keepKeys(keys);
    } catch (error) {
      this.say(`${error.message} Your keys hold until you leave this page.`, "warn");
    }
  }

  // Buttons say which key does the same.
  #nameKeys() {
    for (const button of this.#root.querySelectorAll("button[data-does]")) {
      const [first] = this.#keys.keysOf(button.dataset.does);
      button.querySelector("kbd")?.replaceChildren(...(first ? capsOf(first).map((cap) => cap.textContent).join(" ") : "–"));
      const { hint } = button.dataset;
      if (hint) button.title = first ? `${hint} (${capsOf(first).map((cap) => cap.textContent).join(" ")})` : hint;
    }
  }

  // Tab goes through the boxes while the picture has the focus, and leaves it past the last.
  #step(by) {
    const { activeElement } = document;
    const isOnPicture = activeElement === document.body || this.#part("stage").contains(activeElement);
    return isOnPicture && this.#item ? this.#editing.step(by) : false;
  }

  // Arrows move what is in hand, else what is seen.
  #nudge(dx, dy) {
    if (this.#editing?.box) return this.#isOpen && this.#editing.nudge(dx, dy);
    return this.#stage.view.pan(dx * 10 * PAN_SHARE, dy * 10 * PAN_SHARE);
  }

  // Always ours: Annotorious has a history of its own, which knows nothing of keys.
  #travel(how) {
    if (this.#isOpen) this.#editing[how]();
  }

  #toggleTool(name) {
    this.#stage.cancelSketch();
    this.#stage.tool = this.#stage.tool === TOOLS[name] ? null : TOOLS[name];
    for (const each of Object.keys(TOOLS)) this.#press(each, this.#stage.tool === TOOLS[each]);
    const words = {
      rectangle: "Every press on the picture draws a new box.",
      polygon: "Every press on the picture sets a point; press the first one again to close the outline.",
    };
    this.#say(words[this.#stage.tool] ?? "Presses take boxes again.");
  }

  #toggle(what, button, on, off) {
    this.#stage[what] = !this.#stage[what];
    this.#press(button, this.#stage[what]);
    this.#say(this.#stage[what] ? on : off);
  }

  #toggleLight() {
    const panel = this.#part("light");
    panel.hidden = !panel.hidden;
    this.#press("light", !panel.hidden);
  }

  #lighten(name, steps) {
    this.#say(`${name}: ${this.#light.step(name, steps)} %`);
  }

  #letGo() {
    if (this.#stage.cancelSketch()) return;
    const used = Object.keys(TOOLS).find((name) => TOOLS[name] === this.#stage.tool);
    if (used) this.#toggleTool(used);
    else if (this.#editing?.selected) this.#editing.select(null);
    else return false;
  }

  #press(name, isPressed) {
    this.#root.querySelector(`[data-does="${name}"]`).setAttribute("aria-pressed", String(isPressed));
  }
}

component("[data-editor]", (root) => void new Editor(root));
