// The scene editor: picture, lists and rules of one camera, saved as one document.
import { component } from "../component.js";
import { toast } from "../toasts.js";
import { Background } from "./background.js";
import { Editing } from "./editing.js";
import { h } from "./elements.js";
import { Changed, Refused, save } from "./hub.js";
import { Past } from "./past.js";
import { RuleList } from "./rule-list.js";
import { wordsOf } from "./rule-words.js";
import { ShapeList } from "./shape-list.js";
import { Stage } from "./stage.js";

const HINTS = {
  zone: "Tap corner by corner, or drag a rectangle.",
  hidden: "Tap corner by corner, or drag a rectangle. Nobody sees what is in it: the agent blurs it before it stores or sends anything.",
  line: "Drag from one end to the other, or tap both.",
  region: "Drag a rectangle around what is to be looked at.",
};

class SceneEditor {
  #root; #parts = {}; #editing; #stage; #shapes; #rules; #past; #background; #isSaving = false;

  constructor(root) {
    this.#root = root;
    for (const part of root.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    const first = JSON.parse(root.querySelector("#scene-first").textContent);
    const size = { width: first.size[0], height: first.size[1] };
    this.#parts.frame.style.setProperty("--ratio", size.width / size.height);
    this.#editing = new Editing(first.drawing, {
      limits: first.limits, mayUnhide: first.may_unhide, changed: (what, source) => this.#show(what, source),
    });
    this.#stage = new Stage(this.#parts.drawing, this.#editing, size, {
      tool: (kind) => this.#showTool(kind), hint: (draft) => this.#hint(draft), say: (words) => this.#say(words),
    });
    this.#shapes = new ShapeList(this.#parts.shapes, this.#editing, this.#stage);
    this.#rules = new RuleList(this.#parts.rules, { editing: this.#editing, classes: first.classes });
    this.#past = new Past(this.#parts.past, this.#editing, root.dataset.preview);
    this.#parts.classes.replaceChildren(...first.classes.map((label) => h("option", { value: label })));
    this.#background = new Background(this.#parts.live, root.dataset.live, { size, onSize: (found) => this.#shape(found, size) });
    this.#listen();
    this.#show("shapes");
    root.dataset.state = "ready";
  }

  // The picture may be smaller than the camera's own, never of another shape unless it is new.
  #shape(found, size) {
    if (Math.abs(found.width / found.height - size.width / size.height) < 0.01) return;
    this.#parts.frame.style.setProperty("--ratio", found.width / found.height);
    Object.assign(size, found);
    this.#parts.drawing.setAttribute("viewBox", `0 0 ${found.width} ${found.height}`);
    this.#stage.show();
  }

  #listen() {
    this.#root.addEventListener("click", ({ target, detail }) => {
      const button = target.closest("[data-does]");
      if (button) this.#do(button, detail === 0);
    });
    window.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("beforeunload", (event) => {
      if (this.#editing.isChanged) event.preventDefault();
    });
  }

  #do(button, isByKeyboard) {
    const deeds = {
      draw: () => this.#draw(button.dataset.kind, isByKeyboard),
      undo: () => this.#editing.undo(),
      redo: () => this.#editing.redo(),
      remove: () => this.#editing.remove(),
      done: () => this.#stage.finish(),
      cancel: () => (this.#stage.tool = null),
      still: () => this.#toggleStill(button),
      "add-rule": () => this.#rules.add(),
      save: () => this.#save(),
    };
    deeds[button.dataset.does]();
  }

  #draw(kind, isByKeyboard) {
    if (!this.#editing.mayAdd(kind)) {
      const has = kind === "region" ? "There is one already; drag its corners." : "There are as many as there may be.";
      return this.#say(has);
    }
    if (isByKeyboard) this.#stage.addInTheMiddle(kind);
    else this.#stage.tool = this.#stage.tool === kind ? null : kind;
  }

  #toggleStill(button) {
    const isStill = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isStill));
    this.#background.isStill = isStill;
  }

  #key(event) {
    const isTyping = event.target.closest?.("input, select, textarea");
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const run = { s: () => this.#save(), z: () => (event.shiftKey ? this.#editing.redo() : this.#editing.undo()), y: () => this.#editing.redo() }[key];
      if (!run || (isTyping && key !== "s")) return;
      event.preventDefault();
      return void run();
    }
    const { draft } = this.#stage;
    if (!draft || isTyping) return;
    if (event.key === "Escape") this.#stage.tool = null;
    else if (event.key === "Enter" && draft.isClosable) this.#stage.finish();
    else if (event.key === "Backspace") {
      draft.back();
      this.#stage.show();
    } else return;
    event.preventDefault();
  }

  #show(what, source, errors = {}) {
    if (!this.#rules) return; // while the parts are made
    this.#stage.show();
    if (what !== "dragging" && what !== "saved") {
      if (what === "selection") this.#shapes.mark();
      else if (source !== "shape-list" && what !== "rules") this.#shapes.show(errors);
      if (source === "rule-list") this.#nameRules();
      else if (what !== "selection") this.#rules.show(errors);
    }
    if (what !== "dragging" && what !== "selection") this.#past?.look();
    this.#showSaving();
  }

  // Placeholders follow what the rules say, without a field losing what is typed in it.
  #nameRules() {
    for (const [index, card] of [...this.#parts.rules.children].entries()) {
      const rule = this.#editing.rules[index];
      if (rule) card.querySelector(".scene-rule__name").placeholder = wordsOf(rule, this.#editing.shapes);
    }
  }

  #showSaving() {
    const { isChanged } = this.#editing;
    this.#parts.saving.textContent = this.#isSaving ? "Saving…" : isChanged ? "Not saved yet" : "Saved";
    this.#parts.save.disabled = this.#isSaving || !isChanged;
    this.#parts.remove.disabled = this.#editing.selected === null;
  }

  #showTool(kind) {
    for (const button of this.#root.querySelectorAll('[data-does="draw"]')) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    }
  }

  #hint(draft) {
    this.#parts.hint.hidden = draft === null;
    if (!draft) return;
    this.#parts["hint-words"].textContent = HINTS[draft.kind];
    this.#parts.done.hidden = !draft.isClosable;
  }

  #say(words) {
    toast(words, "warn");
  }

  async #save() {
    if (this.#isSaving || !this.#editing.isChanged) return;
    this.#nameNameless();
    this.#isSaving = true;
    this.#notice(null);
    this.#showSaving();
    const sent = this.#editing.state;
    try {
      const { revision } = await save(this.#root.dataset.url, this.#editing.document);
      this.#isSaving = false;
      this.#editing.settle(revision, sent);
      this.#show("shapes");
      toast("Saved. The agent takes it over within seconds.");
    } catch (failure) {
      this.#isSaving = false;
      this.#explain(failure);
    }
  }

  #nameNameless() {
    for (const [index, rule] of this.#editing.rules.entries()) {
      if (!rule.name.trim()) this.#editing.setRule(index, { ...rule, name: wordsOf(rule, this.#editing.shapes) });
    }
  }

  #explain(failure) {
    if (failure instanceof Changed) {
      this.#notice(`${failure.message} What you drew is still here.`, [
        ["Take theirs", () => this.#editing.begin(failure.drawing, { isKept: true })],
        ["Save mine over it", () => {
          this.#editing.revision = failure.drawing.revision;
          this.#save();
        }],
      ]);
      this.#show("shapes");
    } else {
      const errors = failure instanceof Refused ? failure.errors ?? {} : {};
      this.#show("shapes", undefined, errors);
      this.#notice(failure.message);
    }
  }

  // choices: [[words, run]].
  #notice(words, choices = []) {
    const { notice } = this.#parts;
    notice.hidden = words === null;
    notice.querySelector("[data-words]").textContent = words ?? "";
    notice.querySelector("[data-choices]").replaceChildren(...choices.map(([label, run]) => h("button", {
      type: "button", class: "button button--small", onClick: () => {
        this.#notice(null);
        run();
      },
    }, label)));
    if (words) notice.scrollIntoView({ block: "nearest" });
  }
}

component("[data-scene-editor]", (root) => {
  new SceneEditor(root);
});
