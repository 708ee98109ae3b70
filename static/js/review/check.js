// The checker's page: what each labeler left in a picture side by side, and the picture to settle it.
import { component } from "../component.js";
import { toast } from "../toasts.js";
import { Editing } from "./editing.js";
import { Hub } from "./hub.js";
import { checkKeymap } from "./keymap.js";
import { Keys } from "./keys.js";
import { labelChip } from "./label-chip.js";
import { Panel } from "./panel.js";
import { Picker } from "./picker.js";
import { pictured } from "./pictured.js";
import { pictureOf, plain } from "./session.js";
import { Stage } from "./stage.js";

class Check {
  #root; #item; #works; #editing; #stage; #panel; #picker; #hub;

  constructor(root, { item, works }) {
    this.#root = root;
    this.#item = item;
    this.#works = works;
    this.#hub = new Hub({});
    this.#stage = new Stage(this.#part("stage"));
    this.#picker = new Picker(this.#part("picker"));
    this.#editing = new Editing(item, { changed: (what) => this.#show(what === "dragging") });
    this.#panel = new Panel({ list: this.#part("boxes"), count: this.#part("count") }, {
      select: (id) => this.#editing.select(id),
      remove: (id) => this.#editing.remove(id),
      restore: (index) => this.#editing.restore(index),
      choose: (id) => (this.#editing.select(id), this.#choose()),
      find: (index, finding) => this.#editing.find(index, finding),
    });
    this.#part("works").replaceChildren(...works.map((work) => this.#work(work)));
    this.#bind();
    pictureOf(item).then((image) => {
      this.#stage.mount(image, this.#editing);
      this.#show();
      root.dataset.state = "open";
      this.#part("stage").focus({ preventScroll: true });
    });
  }

  #work(work) {
    const others = this.#works.filter((each) => each !== work).flatMap(({ boxes }) => boxes);
    const figure = document.createElement("figure");
    figure.className = "work";
    const words = document.createElement("figcaption");
    const name = document.createElement("strong"), outcome = document.createElement("span");
    name.textContent = work.by;
    outcome.textContent = [work.outcome, ...work.classes].join(" · ");
    const take = document.createElement("button");
    take.type = "button";
    take.className = "button button--small";
    take.textContent = "Take these";
    take.addEventListener("click", () => this.#editing.takeOver(work));
    words.append(name, outcome, take);
    figure.append(pictured(this.#item, work, others), words);
    return figure;
  }

  #show(isDragging = false) {
    this.#stage.show(isDragging);
    this.#panel.show(this.#editing);
    this.#part("classes").replaceChildren(...this.#editing.answer.classes.map((name) => (
      labelChip(this.#item, name, { isPressed: true }, () => this.#editing.toggleClass(name))
    )));
  }

  #choose() {
    const { box, label } = this.#editing;
    this.#picker.open(this.#item, box?.label ?? label, (name) => this.#editing.reclass(name));
  }

  async #decide(decision) {
    const { dataset } = this.#root;
    if (dataset.state !== "open") return; // nobody judges what they do not see, nor twice
    dataset.state = "sending";
    try {
      const { url } = await this.#hub.check(dataset.decide, { revision: this.#item.revision, ...decision });
      location.assign(url);
    } catch (error) {
      dataset.state = "open";
      toast(error.message, "err");
    }
  }

  #hide() {
    this.#stage.isHidden = !this.#stage.isHidden;
    this.#root.querySelector('[data-does="hide"]').setAttribute("aria-pressed", String(this.#stage.isHidden));
  }

  #bind() {
    const editing = this.#editing, sendBack = this.#part("send-back");
    const deeds = {
      accept: () => ("accepts" in this.#root.dataset ? this.#decide({ decision: "accept" }) : false),
      settle: () => this.#decide({ decision: "settle", ...plain(editing.answer) }),
      sendBack: () => sendBack.showModal(),
      step: (by) => this.#part("stage").contains(document.activeElement) && editing.step(by),
      nudge: (dx, dy) => editing.nudge(dx, dy),
      resize: (dx, dy) => editing.resize(dx, dy),
      remove: () => !this.#stage.hasPointTaken && editing.remove(),
      letGo: () => (editing.selected ? editing.select(null) : false),
      reclass: (index) => (this.#item.frequent_labels[index] ? editing.reclass(this.#item.frequent_labels[index]) : false),
      choose: () => this.#choose(),
      finding: () => editing.stepFinding(),
      whole: () => this.#picker.open(this.#item, null, (name) => editing.toggleClass(name)),
      hide: () => this.#hide(),
      all: () => this.#stage.view.whole(),
      nearer: () => this.#stage.view.nearer(),
      farther: () => this.#stage.view.farther(),
      back: () => editing.undo(),
      forth: () => editing.redo(),
    };
    new Keys(checkKeymap(deeds), {}, () => {});
    this.#root.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-does]");
      if (pressed) deeds[pressed.dataset.does]();
    });
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
    sendBack.querySelector("form").addEventListener("submit", (event) => {
      if (event.submitter?.value === "no") return;
      event.preventDefault();
      const form = new FormData(event.target);
      const reasons = form.getAll("reason");
      if (!reasons.length) return sendBack.querySelector("[data-none]").removeAttribute("hidden");
      this.#decide({ decision: "send_back", reasons, comment: form.get("comment") });
    });
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }
}

component("[data-check]", (root) => void new Check(root, JSON.parse(document.getElementById("check-first").textContent)));
