// One parcel on its way to the hub: announced, then sent. Refusals are words for a person.
import { csrfToken } from "../csrf.js";

const PATIENCE_MS = 15000;
const AWAY = "The hub does not answer. Send it again in a moment.";
const LOGGED_OUT = "You are logged out. Log in in another tab, then send it again.";

export class Refused extends Error {
  // isOver: the hub has settled what becomes of the import; nothing is left to call off.
  constructor(words, { isOver = false } = {}) {
    super(words);
    this.isOver = isOver;
  }
}

// Returns { id, upload }: which import waits for the parcel, and where.
export async function announce(url, { name, organization, signal }) {
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify({ name, ...(organization && { organization }) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
  } catch {
    signal.throwIfAborted();
    throw new Refused(AWAY);
  }
  if (answer.status === 401) throw new Refused(LOGGED_OUT);
  if (!answer.ok) throw new Refused(await refusal(answer.status, () => answer.json()));
  return answer.json();
}

// Sends the parcel; tells by `onProgress(sent, total)` how far it is.
export function send(url, content, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
    const refuse = (words, options) => reject(new Refused(words, options));
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onerror = () => refuse(AWAY);
    request.onabort = () => reject(signal.reason);
    request.onload = async () => {
      if (request.status === 202) resolve();
      else if (new URL(request.responseURL).pathname === "/login/") refuse(LOGGED_OUT);
      else {
        const words = await refusal(request.status, () => JSON.parse(request.responseText));
        refuse(words, { isOver: [400, 404, 409].includes(request.status) });
      }
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(content);
  });
}

async function refusal(status, read) {
  let problem = {};
  try {
    problem = await read();
  } catch {
    // Not the hub's own words: a proxy's, or a page.
  }
  const fields = Object.values(problem.errors ?? {}).flat();
  const words = {
    403: "You may not import (any more).",
    404: "The hub does not know this import any more. Send it again.",
    413: "It is too large.",
  };
  if (status >= 500) return "The hub had a problem. Send it again in a moment.";
  return fields.join(" ") || words[status] || problem.detail || `The hub answered ${status}.`;
}
