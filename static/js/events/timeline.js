// The list of events keeps itself true: what is new comes in where it belongs, what changed is
// replaced, and what a person has loaded further down stays. Days get a heading each.
import { refreshTimes } from "../ago.js";
import { component } from "../component.js";
import { localize } from "./clocks.js";

const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

function dayName(at) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.round((midnight - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return day.format(at);
}

function nameDays(list) {
  for (const heading of list.querySelectorAll(".timeline__day")) heading.remove();
  let last = "";
  for (const row of list.querySelectorAll("[data-occurred]")) {
    const name = dayName(Date.parse(row.dataset.occurred));
    if (name === last) continue;
    last = name;
    const heading = document.createElement("li");
    heading.className = "timeline__day";
    heading.textContent = name;
    row.before(heading);
  }
}

// Take out what is no longer among the newest, as an event that is over where running ones are shown.
function prune(list, rows, isAll) {
  const ids = new Set(rows.map((row) => row.id));
  const oldest = Date.parse(rows.at(-1).dataset.occurred);
  for (const row of list.querySelectorAll("[data-occurred]")) {
    const isCovered = isAll || Date.parse(row.dataset.occurred) > oldest;
    if (isCovered && !ids.has(row.id)) row.remove();
  }
}

// Put the newest rows into the list; false when the two have nothing in common.
function merge(list, fresh) {
  const rows = [...fresh.querySelectorAll("[data-occurred]")];
  if (!rows.some((row) => document.getElementById(row.id))) return false;
  prune(list, rows, !fresh.querySelector(".event-more"));
  let before = null;
  for (const row of rows) {
    const shown = document.getElementById(row.id);
    if (!shown) {
      row.classList.add("moment--new");
      if (before) before.after(row);
      else list.prepend(row);
    } else if (shown.dataset.version !== row.dataset.version) shown.replaceWith(row);
    before = document.getElementById(row.id);
  }
  return true;
}

// What is chosen, without what is not; a time zone only where there are clocks that it is for.
function chosen(filters) {
  const isOfClocks = filters.elements.span.value === "chosen";
  const clocks = ["since", "until", "zone"];
  const said = [...new FormData(filters)].filter(([name, value]) => value && (isOfClocks || !clocks.includes(name)));
  return new URLSearchParams(said).toString();
}

component("[data-timeline]", (root) => {
  const filters = document.querySelector("[data-event-filters]");
  let isAsking = false, isStale = false;
  filters.elements.zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

  const settle = () => {
    const list = root.querySelector("#event-rows");
    if (list) nameDays(list);
    localize(root);
    refreshTimes(root);
    root.dispatchEvent(new CustomEvent("fw:rows"));
  };

  async function refresh() {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    try {
      while (isStale) {
        isStale = false;
        await fetchNewest();
      }
    } catch {
      // The hub is away: the connection's state says it, and its return asks again.
    } finally {
      isAsking = false;
    }
  }

  async function fetchNewest() {
    if (new URLSearchParams(location.search).has("after")) return; // an older page stays as it is
    const query = chosen(filters);
    const answer = await fetch(`${root.dataset.timeline}?${query}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok || query !== chosen(filters)) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    const list = root.querySelector("#event-rows");
    if (!list || !merge(list, fresh)) {
      root.replaceChildren(...fresh.childNodes);
      window.htmx.process(root);
    }
    settle();
  }

  // The address says what is shown, so that it can be kept and sent to somebody.
  const address = () => history.replaceState(null, "", `${root.dataset.timeline}?${chosen(filters)}`);
  const swapped = (event) => event.target === root && settle();
  const loaded = () => settle();
  filters.addEventListener("change", address);
  document.body.addEventListener("fw:events", refresh);
  document.body.addEventListener("fw:agents", refresh);
  root.addEventListener("htmx:afterSwap", swapped);
  root.addEventListener("htmx:load", loaded);
  settle();
  return () => {
    document.body.removeEventListener("fw:events", refresh);
    document.body.removeEventListener("fw:agents", refresh);
  };
});
