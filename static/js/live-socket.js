// The page's one ear: the hub says what changed (`fw:TOPIC` on the body, at most one in a while)
// and how much arrives (`fw:counters`). Elements fetch themselves anew through htmx.
import { refreshTimes } from "./ago.js";
import { component } from "./component.js";
import { Socket } from "./socket.js";

const TOPICS = ["agents", "cameras", "events", "review", "jobs"];
const APART_MS = 1500;
const WORDS = { live: "Live", connecting: "Reconnecting…", paused: "Paused", gone: "Not available" };

const last = new Map();
const waiting = new Map();
let wasLive = false;

function tell(topic) {
  if (waiting.has(topic)) return;
  const wait = Math.max(0, (last.get(topic) ?? 0) + APART_MS - performance.now());
  waiting.set(topic, setTimeout(() => {
    waiting.delete(topic);
    last.set(topic, performance.now());
    document.body.dispatchEvent(new CustomEvent(`fw:${topic}`));
  }, wait));
}

function handle(text) {
  const message = JSON.parse(text);
  if (message.type === "changed") tell(message.topic);
  if (message.type === "counters") {
    document.body.dispatchEvent(new CustomEvent("fw:counters", { detail: message }));
  }
}

component("[data-connection]", (element) => {
  const text = element.querySelector("[data-connection-text]");
  const socket = new Socket("/live/", {
    message: handle,
    state(state) {
      element.dataset.state = state;
      text.textContent = WORDS[state];
      element.firstElementChild.className = state === "live" ? "dot dot--ok" : "dot dot--warn dot--busy";
      if (state !== "live") return;
      // Whatever happened while nobody listened; at first, since the page was made.
      if (wasLive) TOPICS.forEach(tell);
      else tell("events");
      wasLive = true;
    },
  });
  socket.open();
  return () => socket.close();
});

document.addEventListener("htmx:load", (event) => refreshTimes(event.target));
