// The import page: what is dropped or chosen goes to the hub, one parcel after another, with how far
// it is. The hub's own list below tells what comes of it.
import { component } from "../component.js";
import { csrfToken } from "../csrf.js";
import { toast } from "../toasts.js";
import { plural } from "../review/words.js";
import { ofDrop, ofInput, parcels } from "./gathering.js";
import { Refused, announce, send } from "./sending.js";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const UNITS = [[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "kB"]];

component("[data-imports]", (desk) => {
  const part = (name, inside = desk) => inside.querySelector(`[data-part=${name}]`);
  const mostBytes = Number(desk.dataset.mostBytes);
  const waiting = [];
  const known = new Map(); // states of the hub's imports, to tell what changed
  const unfolded = new Set(); // notes that somebody reads, by their ids
  let current = null;

  const say = (words) => (part("said").textContent = words);

  function take(chosen) {
    const { found, nUseless } = parcels(chosen);
    if (nUseless) toast(`${plural(nUseless, "file")} of other kinds stay${nUseless === 1 ? "s" : ""} here.`, "warn");
    for (const parcel of found) enlist(parcel);
    advance();
  }

  function enlist(parcel) {
    const row = part("row").content.firstElementChild.cloneNode(true);
    const shown = (name) => part(name, row);
    const work = { parcel, row, shown, stop: new AbortController(), import: null };
    shown("name").textContent = parcel.name;
    shown("bar").setAttribute("aria-label", parcel.name);
    shown("cancel").setAttribute("aria-label", `Cancel ${parcel.name}`);
    shown("again").setAttribute("aria-label", `Send ${parcel.name} again`);
    shown("cancel").addEventListener("click", () => leave(work));
    shown("again").addEventListener("click", () => {
      row.remove();
      enlist(parcel);
      advance();
    });
    part("rows").append(row);
    if (parcel.size > mostBytes) {
      refuse(work, `It has ${inWords(parcel.size)}; at most ${inWords(mostBytes)} are taken at once.`);
      shown("again").hidden = true;
      return;
    }
    shown("bar").value = 0;
    shown("words").textContent = `${inWords(parcel.size)}. Waits for those before it.`;
    waiting.push(work);
  }

  async function advance() {
    if (current || !waiting.length) return;
    current = waiting.shift();
    const { parcel, row, shown, stop } = current;
    const { signal } = stop;
    try {
      const content = await parcel.content({
        signal,
        onFile: (n) => (shown("words").textContent = `Packs ${n} of ${plural(parcel.nFiles, "file")}.`),
      });
      const organization = part("organization")?.value;
      current.import = await announce(desk.dataset.announce, { name: parcel.name, organization, signal });
      hideOwn();
      const began = performance.now();
      await send(current.import.upload, content, {
        signal,
        onProgress: (sent, total) => {
          shown("bar").value = sent / total;
          shown("words").textContent = progress(sent, total, performance.now() - began);
        },
      });
      row.remove();
      say(`${parcel.name} is sent.`);
    } catch (error) {
      if (!error.isOver) callOff(current);
      current.import = null;
      if (signal.aborted) row.remove();
      else refuse(current, error instanceof Refused ? error.message : "It cannot be read on this machine.");
    }
    current = null;
    document.body.dispatchEvent(new CustomEvent("fw:jobs"));
    advance();
  }

  function leave(work) {
    const at = waiting.indexOf(work);
    if (at >= 0) waiting.splice(at, 1);
    if (work === current) work.stop.abort();
    else work.row.remove();
    part("files").focus();
  }

  function refuse({ parcel, shown }, words) {
    shown("bar").hidden = true;
    shown("words").textContent = words;
    shown("words").classList.add("import__words--err");
    shown("again").hidden = false;
    shown("cancel").textContent = "Dismiss";
    shown("cancel").setAttribute("aria-label", `Dismiss ${parcel.name}`);
    say(`${parcel.name}: ${words}`);
  }

  // An announced import whose file will not come is in nobody's way.
  function callOff(work) {
    if (!work.import) return;
    const form = new FormData();
    form.set("csrfmiddlewaretoken", csrfToken());
    navigator.sendBeacon(desk.dataset.cancel.replace(NOBODY, work.import.id), form);
  }

  // What is on its way from here is told above, not twice.
  function hideOwn() {
    const own = current?.import && document.getElementById(`import-${current.import.id}`);
    if (own) own.hidden = true;
  }

  function renewed() {
    hideOwn();
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    for (const { id, dataset } of document.querySelectorAll("#imports [data-state]")) {
      const before = known.get(id);
      const isOver = !["waiting", "running"].includes(dataset.state);
      if (before && before !== dataset.state && isOver) say(dataset.said);
      known.set(id, dataset.state);
    }
  }

  const drags = (event) => event.dataTransfer?.types.includes("Files");
  const light = (isOver) => part("zone").classList.toggle("is-over", isOver);
  const listeners = {
    dragover(event) {
      if (!drags(event)) return;
      event.preventDefault(); // anywhere on the page: missing the zone must not open the file
      light(true);
    },
    dragleave(event) {
      if (!event.relatedTarget) light(false);
    },
    drop(event) {
      if (!drags(event)) return;
      event.preventDefault();
      light(false);
      ofDrop(event.dataTransfer).then(take, () => toast("What you dropped cannot be read on this machine.", "err"));
    },
    "htmx:afterSwap": renewed,
  };
  for (const [name, listen] of Object.entries(listeners)) document.addEventListener(name, listen);

  for (const kind of ["file", "folder"]) {
    const input = part(`${kind}-input`);
    part(kind === "file" ? "files" : "folder").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      take(ofInput(input.files));
      input.value = "";
    });
  }

  const remember = ({ target }) => {
    if (target.matches("#imports details")) unfolded[target.open ? "add" : "delete"](target.id);
  };
  document.addEventListener("toggle", remember, true); // it does not bubble

  const warn = (event) => {
    if (current || waiting.length) event.preventDefault();
  };
  const sweep = () => {
    if (current) callOff(current);
  };
  addEventListener("beforeunload", warn);
  addEventListener("pagehide", sweep);
  renewed();
  desk.dataset.state = "ready";
  return () => {
    for (const [name, listen] of Object.entries(listeners)) document.removeEventListener(name, listen);
    document.removeEventListener("toggle", remember, true);
    removeEventListener("beforeunload", warn);
    removeEventListener("pagehide", sweep);
  };
});

function progress(sent, total, passedMs) {
  if (sent === total) return "Sent; the hub stores it.";
  const leftS = (passedMs / sent) * (total - sent) / 1000;
  const left = passedMs < 2000 ? "" : `, about ${leftS < 90 ? `${Math.ceil(leftS)} s` : `${Math.round(leftS / 60)} min`} left`;
  return `${Math.floor((100 * sent) / total)} % of ${inWords(total)}${left}`;
}

function inWords(bytes) {
  const [size, unit] = UNITS.find(([size]) => bytes >= size) ?? [1, "bytes"];
  const n = bytes / size;
  return `${n < 10 && size > 1 ? n.toFixed(1) : Math.round(n)} ${unit}`;
}
