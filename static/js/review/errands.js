// What one labeler's page asks of the hub, one request at a time and in its order, so that none
// overtakes what it rests upon. What can go together does: a decision takes along what is on the
// screen from then on and the wish for one more picture.
import { Moved } from "./hub.js";

const DECIDE = "decide", START = "start", CLAIM = "claim";

export class Errands {
  #hub; #besides; #waiting = []; #isOut = false;

  // besides(): ids of the items that the page has in hand.
  constructor(hub, besides) {
    this.#hub = hub;
    this.#besides = besides;
  }

  // `send(onward)` saves or skips. Resolves with the hub's answer.
  decide(send) {
    return this.#add(DECIDE, send);
  }

  // Say that an item is on the screen.
  start(item) {
    return this.#add(START, () => this.#hub.start(item), item);
  }

  // Resolves with an answer that has the next item, or none.
  claim() {
    return this.#add(CLAIM, () => this.#hub.next(this.#besides()));
  }

  // Anything else that has its place in the order.
  also(send) {
    return this.#add("", send);
  }

  // Begin; errands that were added before this may go together.
  async go() {
    if (this.#isOut) return;
    this.#isOut = true;
    while (this.#waiting.length) {
      const errand = this.#waiting.shift();
      if (errand.does === DECIDE) await this.#decide(errand);
      else await this.#run(errand);
    }
    this.#isOut = false;
  }

  #add(does, send, item = null) {
    const errand = { does, send, item };
    const done = new Promise((resolve, reject) => Object.assign(errand, { resolve, reject }));
    this.#waiting.push(errand);
    queueMicrotask(() => this.go());
    return done;
  }

  async #run({ send, resolve, reject }) {
    try {
      resolve(await send());
    } catch (error) {
      reject(error);
    }
  }

  async #decide({ send, resolve, reject }) {
    const start = this.#waiting[0]?.does === START ? this.#waiting.shift() : null;
    const claim = this.#take(({ does }) => does === CLAIM);
    try {
      const answer = await send({
        ...(start && { shown: start.item.id }), ...(claim && { besides: this.#besides() }),
      });
      if (answer.moved) start?.reject(new Moved(answer.moved));
      else start?.resolve(answer);
      claim?.resolve(answer);
      resolve(answer);
    } catch (error) {
      this.#waiting.unshift(...[start, claim].filter(Boolean)); // they go alone
      reject(error);
    }
  }

  #take(isWanted) {
    const index = this.#waiting.findIndex(isWanted);
    return index < 0 ? null : this.#waiting.splice(index, 1)[0];
  }
}
