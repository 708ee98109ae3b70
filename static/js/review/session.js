// From one picture to the next without a wait: the next one is claimed and decoded ahead, saves go
// their way in the background, and nothing is forgotten until the hub has it.
import { isSame } from "./boxes.js";
import { dropDraft, keepDraft, unfinishedSaves } from "./drafts.js";
import { LoggedOut, Moved, Unreachable } from "./hub.js";

const RENEW_MS = 30000;
const RETRY_MS = 3000;

export class Session {
  #hub; #view; #current = null; #started = Promise.resolve(); #ahead = null; #later = [];
  #saving = new Map(); #isIdle = false;

  // view: { show(item, image), wait(), none(), status(status), saving(n, error|null),
  //         moved(error), unsaved(item, boxes, error), say(text, tone) }.
  constructor(hub, view) {
    this.#hub = hub;
    this.#view = view;
    setInterval(() => this.#renew(), RENEW_MS);
    window.addEventListener("pagehide", () => this.#releaseAll());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload());
    window.addEventListener("beforeunload", (event) => this.#saving.size && event.preventDefault());
    document.body.addEventListener("fw:review", () => this.#isIdle && this.advance());
  }

  async begin({ item, status }) {
    this.#view.status(status);
    await this.#open({ item, image: await pictureOf(item) });
    for (const { id, url, revision, boxes } of unfinishedSaves()) {
      if (id !== item.id) this.#send({ id, url, revision }, boxes, (draft) => this.#hub.save(draft, revision, plain(boxes)));
    }
  }

  // Save boxes, or leave the picture, and go to the next one.
  save(boxes) {
    const item = this.#current.item;
    keepDraft(item, boxes, true);
    this.#send(item, boxes, () => this.#hub.save(item, item.revision, plain(boxes)));
    return this.advance();
  }

  skip(skipAs) {
    const item = this.#current.item;
    dropDraft(item);
    this.#send(item, null, () => this.#hub.skip(item, item.revision, skipAs));
    return this.advance();
  }

  async advance() {
    this.#view.wait(); // from here on nothing more happens to the picture that is still seen
    const left = this.#later.pop() ?? (await this.#ahead);
    this.#ahead = null;
    if (left) return this.#open(left);
    this.#current = null;
    await Promise.allSettled([...this.#saving.values()]);
    const found = await this.#claim();
    if (found) return this.#open(found);
    this.#isIdle = true;
    this.#view.none();
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
    history.replaceState(null, "", item.url);
    this.#view.show(item, image, error !== null);
    if (error) this.#view.moved(error);
    else if (item.state === "open") this.#started = this.#start(item);
    this.#ahead ??= this.#claim();
  }

  async #start(item) {
    try {
      this.#view.status((await this.#hub.start(item)).status);
    } catch (error) {
      if (error instanceof Moved && this.#current?.item.id === item.id) this.#view.moved(error);
      else if (!(error instanceof Unreachable)) this.#view.say(error.message, "err");
    }
  }

  // The next item with its picture ready to be shown, or null.
  async #claim() {
    const besides = [this.#current?.item.id, ...this.#saving.keys(), ...this.#later.map(({ item }) => item.id)];
    try {
      const { item, status } = await this.#hub.next(besides.filter(Boolean).slice(-16));
      this.#view.status(status);
      return item && { item, image: await pictureOf(item) };
    } catch (error) {
      if (!(error instanceof Unreachable)) this.#view.say(error.message, "err");
      return null;
    }
  }

  #send(item, boxes, request) {
    const sent = this.#started.then(() => this.#deliver(item, boxes, request));
    this.#saving.set(item.id, sent);
    this.#view.saving(this.#saving.size, null);
    sent.finally(() => {
      this.#saving.delete(item.id);
      this.#view.saving(this.#saving.size, null);
    });
  }

  async #deliver(item, boxes, request) {
    for (;;) {
      try {
        const { status } = await request(item);
        dropDraft(item);
        return this.#view.status(status);
      } catch (error) {
        if (!(error instanceof Unreachable || error instanceof LoggedOut)) {
          return this.#undelivered(item, boxes, error);
        }
        this.#view.saving(this.#saving.size, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #undelivered(item, boxes, error) {
    dropDraft(item);
    if (!boxes) return this.#view.say(error.message, "warn"); // a skip: nothing was typed
    if (error instanceof Moved && isThere(boxes, error.item.decided)) return;
    keepDraft(item, boxes);
    this.#view.unsaved(item, error);
  }

  #renew() {
    if (this.#current?.item.state === "open") this.#start(this.#current.item);
    for (const { item } of this.#later) this.#hub.renew(item).catch(() => {});
    const ahead = this.#ahead;
    ahead?.then((entry) => entry && this.#hub.renew(entry.item).catch((error) => {
      // Somebody else has it by now.
      if (error instanceof Moved && this.#ahead === ahead) this.#ahead = this.#claim();
    }));
  }

  #releaseAll() {
    const held = [this.#current, ...this.#later].filter(Boolean);
    for (const { item } of held) if (!this.#saving.has(item.id)) this.#hub.release(item);
    this.#ahead?.then((entry) => entry && this.#hub.release(entry.item));
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
function isThere(boxes, decided) {
  return Boolean(decided?.is_mine) && decided.boxes.length === boxes.length
    && boxes.every((box, index) => isSame(box, decided.boxes[index]));
}

function plain(boxes) {
  return boxes.map(({ xyxy, label }) => ({ xyxy, label }));
}
