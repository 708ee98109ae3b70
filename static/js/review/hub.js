// What the editor asks of the hub. An answer is JSON; a refusal is one of the errors below.
import { csrfToken } from "../csrf.js";

const PATIENCE_MS = 15000;

// The item is not as this page has it (409); `item` is how it is now.
export class Moved extends Error {
  constructor({ detail, item }) {
    super(detail);
    this.item = item;
  }
}

// The hub will not take this as it is (4xx); trying again changes nothing.
export class Refused extends Error {}

// The session ended; after a new login everything goes on.
export class LoggedOut extends Error {}

// No answer, or a crash there: try again later.
export class Unreachable extends Error {}

export class Hub {
  #urls;

  // urls: { next, noWork, undo, undoOne, keys }, paths of this labeler's queue.
  constructor(urls) {
    this.#urls = urls;
  }

  look(item) {
    return this.#ask(item.url);
  }

  next(besides) {
    return this.#ask(this.#urls.next, { besides });
  }

  // Why there is no next one, as a piece of the page.
  async noWork() {
    const answer = await fetch(this.#urls.noWork, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "manual" });
    return answer.ok ? answer.text() : "";
  }

  start(item) {
    return this.#ask(`${item.url}start/`, {});
  }

  renew(item) {
    return this.#ask(`${item.url}renew/`, {});
  }

  // What a labeler decided goes on its way even while the page goes away. `onward`: { shown: id of
  // what is on the screen now, besides: ids in hand, to have one more claimed }, each as one likes.
  save(item, revision, answer, onward = {}) {
    return this.#ask(`${item.url}verdict/`, { revision, ...answer, onward }, { keepalive: true });
  }

  skip(item, revision, skipAs, onward = {}) {
    return this.#ask(`${item.url}skip/`, { revision, skip_as: skipAs, onward }, { keepalive: true });
  }

  undo() {
    return this.#ask(this.#urls.undo, {});
  }

  undoVerdict(id) {
    return this.#ask(this.#urls.undoOne.replace("00000000-0000-0000-0000-000000000000", id), {});
  }

  // The keys that this labeler gave to deeds; they go wherever the labeler does.
  keepKeys(keys) {
    return this.#ask(this.#urls.keys, { keys });
  }

  // What a checker decides; the answer says where to go on.
  check(url, decision) {
    return this.#ask(url, decision);
  }

  // Sent while the page goes away, when nothing can be awaited.
  release(item) {
    const form = new FormData();
    form.set("csrfmiddlewaretoken", csrfToken());
    navigator.sendBeacon(`${item.url}release/`, form);
  }

  async #ask(url, body, options = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
    const request = body === undefined
      ? { headers }
      : {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        ...options,
      };
    let response;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      response = await fetch(url, { ...request, signal, redirect: "manual" });
    } catch {
      throw new Unreachable("The hub does not answer.");
    }
    if (response.type === "opaqueredirect") throw new LoggedOut("You are logged out.");
    if (response.ok) return response.json();
    throw await refusal(response);
  }
}

async function refusal(response) {
  if (response.status >= 500) return new Unreachable("The hub had a problem.");
  const isProblem = response.headers.get("Content-Type")?.includes("json");
  const problem = isProblem ? await response.json() : {};
  if (response.status === 409) return new Moved(problem);
  const words = { 403: "You may not do that (any more).", 404: "This picture is gone." };
  return new Refused(problem.detail || words[response.status] || `The hub answered ${response.status}.`);
}
