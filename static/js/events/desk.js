// What people do about the events in the list: by buttons, by keys, several at once. The list
// itself is kept true by timeline.js, which says "fw:rows" whenever rows have come or gone.
import { component } from "../component.js";
import { csrfToken } from "../csrf.js";
import { toast } from "../toasts.js";

const KEYS = { a: "acknowledge", f: "false-alarm", u: "take-back" };

class Refused extends Error {}

class Desk {
  #root; #bulk; #picked = new Set(); #here = null; #index = 0;

  constructor(root) {
    this.#root = root;
    this.#bulk = document.querySelector("[data-bulk]");
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("change", ({ target }) => target.matches("[data-pick]") && this.#pick(rowOf(target), target.checked));
    root.addEventListener("fw:rows", () => this.#show());
    this.#bulk.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-bulk-does]");
      if (button) this.#doMany(button.dataset.bulkDoes);
    });
  }

  get #rows() {
    return [...this.#root.querySelectorAll("[data-event]")];
  }

  get #row() {
    return this.#rows.find((row) => row.dataset.event === this.#here);
  }

  // A row that was renewed meanwhile has lost the focus to the page.
  #isAt() {
    return this.#row && [this.#row, document.body].includes(document.activeElement);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") this.#move(key === "j" ? 1 : -1);
    else if (key in KEYS && this.#picked.size && key !== "f") this.#doMany(KEYS[key]);
    else if (key in KEYS && this.#row) this.#do(this.#row, KEYS[key]);
    else if (key === "x" && this.#row) this.#pick(this.#row, !this.#picked.has(this.#here));
    else if (event.key === "Enter" && this.#isAt()) this.#row.querySelector(".moment__title a").click();
    else if (event.key === "Escape" && this.#picked.size) this.#pickAll([]);
    else return;
    event.preventDefault();
  }

  // After an event has left the list, the next one is in its place.
  #move(by) {
    const rows = this.#rows;
    if (!rows.length) return;
    const at = rows.indexOf(this.#row);
    const next = at < 0 ? (this.#here ? this.#index + Math.min(by, 0) : 0) : at + by;
    this.#index = Math.max(0, Math.min(rows.length - 1, next));
    this.#here = rows[this.#index].dataset.event;
    this.#show();
    rows[this.#index].focus({ preventScroll: true });
    rows[this.#index].scrollIntoView({ block: "nearest" });
  }

  #click({ target }) {
    const button = target.closest("[data-does]");
    if (!button) return;
    this.#here = rowOf(button).dataset.event;
    this.#do(rowOf(button), button.dataset.does);
  }

  async #do(row, deed) {
    const does = deed === "take-back" && row.querySelector('[data-does="true-alarm"]') ? "true-alarm" : deed;
    if (!row.querySelector(`[data-does="${does}"]`)) return; // nothing to do
    row.setAttribute("aria-busy", "true");
    try {
      const { says } = await this.#post(`/events/${row.dataset.event}/${does}/`, []);
      if (says) toast(says);
    } catch (failure) {
      toast(failure.message, "err");
    }
    row.removeAttribute("aria-busy");
  }

  async #doMany(deed) {
    if (deed === "all") return this.#pickAll(this.#rows);
    if (deed === "none") return this.#pickAll([]);
    const form = [...this.#picked].map((id) => ["event", id]);
    if (deed === "take-back") form.push(["undo", "1"]);
    try {
      const { n_events: n } = await this.#post(this.#root.dataset.eventDesk, form);
      toast(`${n} ${n === 1 ? "event" : "events"} ${deed === "take-back" ? "to look at again" : "acknowledged"}.`);
      this.#pickAll([]);
    } catch (failure) {
      toast(failure.message, "err");
    }
  }

  async #post(url, form) {
    let answer;
    try {
      answer = await fetch(url, {
        method: "POST", body: new URLSearchParams(form), signal: AbortSignal.timeout(15000),
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      });
    } catch {
      throw new Refused("The hub does not answer. Try again in a moment.");
    }
    if (answer.redirected) location.reload(); // the session has ended
    if (!answer.ok) throw new Refused(answer.status === 403 ? "You may not do that." : "Nothing was changed: the hub refused it.");
    document.body.dispatchEvent(new CustomEvent("fw:events"));
    return answer.json();
  }

  #pick(row, isPicked) {
    if (isPicked) this.#picked.add(row.dataset.event);
    else this.#picked.delete(row.dataset.event);
    this.#show();
  }

  #pickAll(rows) {
    this.#picked = new Set(rows.map((row) => row.dataset.event));
    this.#show();
  }

  #show() {
    const rows = this.#rows;
    const shown = new Set(rows.map((row) => row.dataset.event));
    for (const id of this.#picked) if (!shown.has(id)) this.#picked.delete(id);
    for (const [index, row] of rows.entries()) {
      const isHere = row.dataset.event === this.#here;
      if (isHere) this.#index = index;
      row.classList.toggle("moment--here", isHere);
      row.querySelector("[data-pick]").checked = this.#picked.has(row.dataset.event);
    }
    this.#bulk.hidden = !this.#picked.size;
    this.#bulk.querySelector("[data-bulk-count]").textContent = `${this.#picked.size} chosen`;
  }
}

function rowOf(element) {
  return element.closest("[data-event]");
}

component("[data-event-desk]", (root) => {
  const desk = new Desk(root);
  const key = (event) => desk.key(event);
  document.addEventListener("keydown", key);
  return () => document.removeEventListener("keydown", key);
});
