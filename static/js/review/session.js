// From one picture to the next without a wait: the next ones are claimed and decoded ahead, saves
// go their way in the background, and nothing is forgotten until the hub has it.
import { isSame } from "./boxes.js";
import { dropDraft, keepDraft, unfinishedSaves } from "./drafts.js";
import { Errands } from "./errands.js";
import { LoggedOut, Moved, Unreachable } from "./hub.js";

const N_AHEAD = 2;
const RENEW_MS = 30000;
const THERE_MS = 60000; // so long after a key or a move of the pointer somebody is still there
const RETRY_MS = 3000;

export class Session {
  #hub; #view; #errands; #current = null; #ahead = []; #later = [];
  #saving = new Map(); #isIdle = false; #last = null; #lookAgain;
  #lastSign = performance.now();

  // view: { show(item, image), wait(), none(why) -> seconds to wait, status(status), saving(n, error|null),
  //         moved(error), unsaved(item, error), feedback(feedback), say(text, tone) }.
  constructor(hub, view) {
    this.#hub = hub;
    this.#view = view;
    this.#errands = new Errands(hub, () => this.#inHand);
    setInterval(() => this.#renew(), RENEW_MS);
    for (const sign of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      window.addEventListener(sign, () => (this.#lastSign = performance.now()), { capture: true, passive: true });
    }
    window.addEventListener("pagehide", () => this.#releaseAll());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
    window.addEventListener("beforeunload", (event) => this.#saving.size && event.preventDefault());
    document.body.addEventListener("fw:review", () => this.#isIdle && this.advance());
  }

  async begin({ item, status }) {
    this.#view.status(status);
    await this.#open({ item, image: await pictureOf(item) });
    for (const { id, url, revision, answer } of unfinishedSaves()) {
      if (id === item.id) continue;
      this.#send({ id, url, revision }, answer, (draft, onward) => this.#hub.save(draft, revision, plain(answer), onward));
    }
  }

  // The boxes of the picture that was saved last.
  get lastBoxes() {
    return this.#last ?? [];
  }

  // Save an answer, or leave the picture, and go to the next one.
  save(answer) {
    const item = this.#current.item;
    this.#last = answer.boxes;
    keepDraft(item, answer, true);
    return this.#leave(answer, (_, onward) => this.#hub.save(item, item.revision, plain(answer), onward));
  }

  skip(skipAs) {
    const item = this.#current.item;
    dropDraft(item);
    return this.#leave(null, (_, onward) => this.#hub.skip(item, item.revision, skipAs, onward));
  }

  async advance() {
    // From here on nothing more happens to the picture that is still seen, if one is.
    if (!this.#isIdle) this.#view.wait();
    const left = this.#later.pop() ?? this.#ahead[0]?.ready ?? (await this.#ahead[0]?.entry);
    if (left) return this.#open(left);
    this.#current = null;
    this.#ahead = [];
    await Promise.allSettled([...this.#saving.values()]);
    const found = await this.#claim({});
    if (found) return this.#open(found);
    this.#isIdle = true;
    const why = await this.#hub.noWork().catch(() => "");
    if (!this.#isIdle) return; // news came meanwhile
    const waitS = this.#view.none(why);
    clearTimeout(this.#lookAgain);
    this.#lookAgain = setTimeout(() => this.#isIdle && this.advance(), 1000 * waitS);
  }

  async undo() {
    await Promise.allSettled([...this.#saving.values()]);
    try {
      const { item, status } = await this.#hub.undo();
      this.#view.status(status);
      if (!item) return this.#view.say("There is nothing left to take back.", "ok");
      if (this.#current && this.#current.item.id !== item.id) this.#later.push(this.#current);
      dropDraft(item);
      await this.#open({ item, image: await pictureOf(item) });
      this.#view.say("Taken back: this is how you left it.", "ok");
    } catch (error) {
      this.#view.say(error.message, "err");
    }
  }

  // Open an item as the hub has it now: after a conflict, or one that could not be saved.
  async reopen(item, error = null) {
    if (this.#current && this.#current.item.id !== item.id) this.#later.push(this.#current);
    await this.#open({ item, image: await pictureOf(item) }, error);
  }

  async takeBack(verdict) {
    const { item } = await this.#hub.undoVerdict(verdict.id);
    return item;
  }

  async #open(entry, error = null) {
    this.#isIdle = false;
    this.#current = entry;
    const { item, image } = entry;
    this.#ahead = this.#ahead.filter(({ id }) => id !== item.id); // till here, claims spare it
    if (!error && item.state === "open") this.#start(item);
    this.#fill();
    this.#errands.go(); // the hub is at work while the page draws
    history.replaceState(null, "", item.url);
    this.#view.show(item, image, error !== null);
    if (error) this.#view.moved(error);
  }

  #fill() {
    while (this.#ahead.length < N_AHEAD) {
      const next = { id: null, ready: null };
      next.entry = this.#claim(next);
      this.#ahead.push(next);
    }
  }

  // Save or skip what is on the screen, and go to the next one.
  #leave(answer, request) {
    const { item } = this.#current;
    this.#send(item, answer, request);
    this.#current = null; // whatever happens until the next one is there is not about this one
    return this.advance();
  }

  async #start(item) {
    try {
      this.#view.status((await this.#errands.start(item)).status);
    } catch (error) {
      if (error instanceof Moved && this.#current?.item.id === item.id) this.#view.moved(error);
      else if (!(error instanceof Unreachable)) this.#view.say(error.message, "err");
    }
  }

  // What a claim has to leave alone.
  get #inHand() {
    const ids = [
      ...this.#saving.keys(), this.#current?.item.id, ...this.#later.map(({ item }) => item.id),
      ...this.#ahead.map(({ id }) => id),
    ];
    return ids.filter(Boolean).slice(-16);
  }

  // The next item with its picture ready to be shown, or null; `next` is told, too.
  async #claim(next) {
    try {
      const { item, status } = await this.#errands.claim();
      this.#view.status(status);
      if (!item) return null;
      next.id = item.id;
      next.ready = { item, image: await pictureOf(item) };
      return next.ready;
    } catch (error) {
      if (!(error instanceof Unreachable)) this.#view.say(error.message, "err");
      return null;
    }
  }

  #send(item, answer, request) {
    const sent = this.#deliver(item, answer, request);
    this.#saving.set(item.id, sent);
    this.#view.saving(this.#saving.size, null);
    sent.finally(() => {
      this.#saving.delete(item.id);
      this.#view.saving(this.#saving.size, null);
    });
  }

  async #deliver(item, answer, request) {
    for (;;) {
      try {
        const { status, gold } = await this.#errands.decide((onward) => request(item, onward));
        dropDraft(item);
        if (gold) this.#view.feedback(gold);
        return this.#view.status(status);
      } catch (error) {
        if (!(error instanceof Unreachable || error instanceof LoggedOut)) {
          return this.#undelivered(item, answer, error);
        }
        this.#view.saving(this.#saving.size, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #undelivered(item, answer, error) {
    dropDraft(item);
    if (!answer) return this.#view.say(error.message, "warn"); // a skip: nothing was typed
    if (error instanceof Moved && isThere(answer, error.item.decided)) return;
    keepDraft(item, answer);
    this.#view.unsaved(item, error);
  }

  // Somebody who went away works on nothing: their time is not counted, and what they hold becomes
  // free before long.
  get #isSomebodyThere() {
    return document.visibilityState === "visible" && performance.now() - this.#lastSign < THERE_MS;
  }

  #renew() {
    if (!this.#isSomebodyThere) return;
    if (this.#current?.item.state === "open") this.#start(this.#current.item);
    for (const { item } of this.#later) this.#hub.renew(item).catch(() => {});
    for (const next of this.#ahead) {
      next.entry.then((entry) => entry && this.#renewAhead(next, entry.item));
    }
  }

  async #renewAhead(next, item) {
    try {
      await this.#errands.also(async () => this.#ahead.includes(next) && this.#hub.renew(item));
    } catch (error) {
      // Somebody else has it by now.
      if (error instanceof Moved) this.#ahead = this.#ahead.filter((each) => each !== next);
      this.#fill();
    }
  }

  #releaseAll() {
    const held = [this.#current, ...this.#later].filter(Boolean);
    for (const { item } of held) if (!this.#saving.has(item.id)) this.#hub.release(item);
    for (const { entry } of this.#ahead) entry.then((each) => each && this.#hub.release(each.item));
  }
}

// The item's picture, decoded; broken ones are shown as the browser shows them.
export async function pictureOf(item) {
  const image = new Image(item.width, item.height);
  image.alt = `Picture of ${item.camera}`;
  image.src = item.picture_url;
  await image.decode().catch(() => {});
  return image;
}

// Whether an earlier try of the same save had arrived after all.
function isThere({ boxes, classes, findings }, decided) {
  return Boolean(decided?.is_mine) && decided.boxes.length === boxes.length
    && boxes.every((box, index) => isSame(box, decided.boxes[index]))
    && classes.toSorted().join() === decided.classes.toSorted().join()
    && Object.entries(findings).every(([index, finding]) => decided.findings.predictions[index] === finding);
}

// An answer as the hub wants it.
export function plain({ boxes, classes, findings }) {
  const plainBox = ({ xyxy, polygon, label, prediction }) => ({
    xyxy, label, ...(polygon && { polygon }), ...(prediction !== null && { prediction }),
  });
  return { boxes: boxes.map(plainBox), classes, findings };
}
