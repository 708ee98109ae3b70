// The strip under the picture: what the draft would have told of the last hour. A worker judges the
// stored results; every change of the draft calls the last question off and asks anew.
import { h } from "./elements.js";
import { ask, follow } from "./hub.js";
import { NOWHERE, placeKey, wordsOf } from "./rule-words.js";

const PAUSE_MS = 700, POLL_MS = 350, SLOW_MS = 4000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

export class Past {
  #root; #parts = {}; #editing; #url; #timer = 0; #asked = ""; #turn = 0;

  // url: where the hub is asked.
  constructor(root, editing, url) {
    this.#root = root;
    this.#editing = editing;
    this.#url = url;
    for (const part of root.querySelectorAll("[data-past]")) this.#parts[part.dataset.past] = part;
    this.#parts.lanes.append(h("p", { class: "muted" }, "Draw, and say in a rule what you want to be told."));
  }

  // The draft may have changed: ask, once the hand has come to rest.
  look() {
    const draft = this.#draft();
    const text = JSON.stringify(draft);
    if (text === this.#asked) return;
    this.#asked = text;
    this.#turn += 1;
    clearTimeout(this.#timer);
    if (draft.rules.length) this.#timer = setTimeout(() => this.#ask(draft, this.#turn), PAUSE_MS);
    else this.#rest();
  }

  // The rules that are complete, named as they will be; what is not about rules is left out.
  #draft() {
    const { scene } = this.#editing.document;
    const isComplete = ({ condition }) => condition.when === "tampered" || condition[placeKey(condition)] !== NOWHERE;
    const rules = scene.rules.filter(isComplete).map((rule) => ({ ...rule, name: rule.name.trim() || wordsOf(rule, this.#editing.shapes) }));
    return { zones: scene.zones, lines: scene.lines, rules };
  }

  #rest() {
    this.#say("idle", "");
    this.#parts.lanes.replaceChildren(h("p", { class: "muted" }, "No rule is complete yet."));
  }

  async #ask(draft, turn) {
    const isOver = () => turn !== this.#turn;
    this.#say("asking", "Looking…");
    try {
      const url = await ask(this.#url, draft);
      const begun = performance.now();
      for (;;) {
        if (isOver()) return;
        const job = await follow(url);
        if (isOver()) return;
        if (job.state === "cancelled") return this.#say("failed", "Called off: another window asks, or it was cancelled.");
        if (job.state === "done") return this.#show(draft, job.result);
        if (job.state === "failed") return this.#say("failed", job.error || "That could not be worked out.");
        const isSlow = job.state === "waiting" && performance.now() - begun > SLOW_MS;
        this.#say("asking", isSlow ? "Waiting for a worker…" : "Looking…", job.n_total ? job.n_done / job.n_total : null);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } catch (failure) {
      if (!isOver()) this.#say("failed", failure.message);
    }
  }

  #say(state, words, share = null) {
    this.#root.dataset.state = state;
    this.#parts.words.textContent = words;
    this.#parts.bar.hidden = state !== "asking";
    if (share === null) this.#parts.bar.removeAttribute("value");
    else this.#parts.bar.value = share;
  }

  #show(draft, result) {
    const since = Date.parse(result.since), until = Date.parse(result.until);
    const share = (at) => Math.min(1, Math.max(0, (Date.parse(at) - since) / (until - since)));
    const n = Object.values(result.counts).reduce((sum, each) => sum + each, 0);
    const seen = result.n_results ? `from ${result.n_results.toLocaleString()} results` : "nothing was seen in this hour";
    this.#say("done", `${n} ${n === 1 ? "event" : "events"}, ${seen}${result.is_cut ? ", the newest ones" : ""}`);
    const lanes = draft.rules.map((rule) => this.#lane(rule, result, share));
    this.#parts.lanes.replaceChildren(h("ul", { class: "scene-past__lanes" }, ...lanes), this.#axis(since, until));
    this.#place();
  }

  #lane(rule, result, share) {
    const isBlind = result.blind.includes(rule.rule_id);
    const count = result.counts[rule.rule_id] ?? 0;
    const events = result.events.filter(({ rule: id }) => id === rule.rule_id).map((event) => {
      const from = share(event.at), to = event.until ? share(event.until) : 1;
      const words = `${exact.format(new Date(event.at))}: ${event.title}. ${event.detail}`;
      return h("span", { class: `scene-past__event scene-past__event--${rule.severity}`, title: words, "data-from": from, "data-to": to });
    });
    const said = `${count} ${count === 1 ? "time" : "times"}`;
    return h("li", { class: "scene-past__lane" },
      h("span", { class: "scene-past__name" }, rule.name),
      h("strong", { class: "scene-past__count", "aria-label": isBlind ? "not known" : said }, isBlind ? "?" : String(count)),
      isBlind ? h("span", { class: "scene-past__blind" }, "What was wrong with pictures is not kept: only the agent can judge this.")
        : h("span", { class: "scene-past__strip", "aria-hidden": "true" }, ...events));
  }

  #axis(since, until) {
    const marks = [0, 0.25, 0.5, 0.75, 1].map((at) => h("span", {}, clock.format(new Date(since + at * (until - since)))));
    return h("div", { class: "scene-past__axis", "aria-hidden": "true" }, ...marks);
  }

  // A page of ours may set styles from scripts, not in its text.
  #place() {
    for (const event of this.#parts.lanes.querySelectorAll("[data-from]")) {
      event.style.setProperty("--from", event.dataset.from);
      event.style.setProperty("--to", event.dataset.to);
    }
  }
}
