// The form that begins a batch: what is chosen goes to the API, then the pictures, if they are here.
import { component } from "../component.js";
import { csrfToken } from "../csrf.js";
import { ofDrop, ofInput, parcels } from "../datasets/gathering.js";
import { Refused, send } from "../datasets/sending.js";
import { plural } from "../review/words.js";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const PATIENCE_MS = 15000;
const PICTURE = /\.(jpe?g|png|zip)$/i;

component("[data-new-batch]", (form) => {
  const part = (name) => form.querySelector(`[data-part=${name}]`);
  const mostBytes = Number(form.dataset.mostBytes);
  const invitation = part("chosen").textContent;
  let parcel = null, under = null; // what is to be sent; the sending that is under way

  function choose(chosen) {
    const { found } = parcels(chosen.filter(({ path }) => PICTURE.test(path)));
    tell("file_name", "");
    parcel = null; // what is refused is not sent, nor what was chosen before it
    part("chosen").textContent = invitation;
    if (found.length > 1) return tell("file_name", "One archive at a time, or pictures without one.");
    if (!found.length) return tell("file_name", "There is no picture in that.");
    if (found[0].size > mostBytes) return tell("file_name", "That is too much at once: make several batches of it.");
    parcel = found[0];
    part("chosen").textContent = parcel.nFiles ? plural(parcel.nFiles, "picture") : parcel.name;
    if (!form.elements.name.value) form.elements.name.value = parcel.name.replace(/\.[^.]+$/, "");
  }

  function tell(field, words) {
    const place = form.querySelector(`[data-error=${field}]`);
    if (!place) return false;
    place.textContent = words;
    place.hidden = !words;
    const input = form.elements[field === "cameras" ? "camera" : field];
    if (input instanceof HTMLElement) words ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
    return true;
  }

  function refuse(words) {
    part("refusal").textContent = words;
    part("refusal").hidden = !words;
  }

  function wanted() {
    const { elements } = form;
    const source = elements.source.value;
    const asked = { name: elements.name.value, bundle: elements.bundle.value, min_score: elements.min_score.value, source };
    if (elements.organization) asked.organization = elements.organization.value;
    if (source === "upload") asked.file_name = parcel.name.slice(-200);
    if (source === "folder") asked.folder = elements.folder.value;
    if (source === "samples") {
      asked.is_labelled = elements.is_labelled.checked;
      asked.is_shadow = elements.is_shadow.checked;
      if (elements.camera.value) asked.cameras = [elements.camera.value];
      for (const edge of ["from", "to"]) {
        if (elements[edge].value) asked[edge] = new Date(elements[edge].value).toISOString();
      }
    }
    return asked;
  }

  async function begin() {
    refuse("");
    for (const place of form.querySelectorAll("[data-error]")) tell(place.dataset.error, "");
    if (form.elements.source.value === "upload" && !parcel) return tell("file_name", "Choose pictures first.");
    part("begin").disabled = true;
    under = { stop: new AbortController(), batch: null };
    try {
      under.batch = await announce(wanted(), under.stop.signal);
      if (under.batch.upload) await deliver(under.batch.upload, under.stop.signal);
      const address = form.dataset.page.replace(NOBODY, under.batch.id);
      under = null;
      location.assign(address);
      return;
    } catch (error) {
      callOff();
      if (!under.stop.signal.aborted) refuse(error instanceof Refused ? error.message : "It cannot be read on this machine.");
    }
    under = null;
    part("begin").disabled = false;
    part("sending").hidden = part("stop").hidden = true;
  }

  async function deliver(address, signal) {
    part("sending").hidden = part("stop").hidden = false;
    const words = part("words");
    const content = await parcel.content({
      signal,
      onFile: (n) => (words.textContent = `Packs ${n} of ${plural(parcel.nFiles, "picture")}.`),
    });
    await send(address, content, {
      signal,
      onProgress: (sent, total) => {
        part("bar").value = sent / total;
        words.textContent = sent === total ? "Sent; the hub stores it." : `${Math.floor((100 * sent) / total)} % sent`;
      },
    });
  }

  async function announce(asked, signal) {
    let answer;
    try {
      answer = await fetch(form.dataset.announce, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify(asked),
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
    } catch {
      signal.throwIfAborted();
      throw new Refused("The hub does not answer. Try again in a moment.");
    }
    if (answer.ok) return answer.json();
    if (answer.status === 401) throw new Refused("You are logged out. Log in in another tab, then try again.");
    const problem = await answer.json().catch(() => ({}));
    const unplaced = Object.entries(problem.errors ?? {}).filter(([field, words]) => !tell(field, words.join(" ")));
    const rest = unplaced.flatMap(([, words]) => words).join(" ");
    if (problem.errors && !rest) throw new Refused("Something is missing: see above.");
    throw new Refused(rest || problem.detail || `The hub answered ${answer.status}.`);
  }

  // A batch whose pictures will not come is in nobody's way.
  function callOff() {
    if (!under?.batch) return;
    const data = new FormData();
    data.set("csrfmiddlewaretoken", csrfToken());
    navigator.sendBeacon(form.dataset.cancel.replace(NOBODY, under.batch.id), data);
  }

  function showSource() {
    for (const place of form.querySelectorAll("[data-source]")) {
      place.hidden = place.dataset.source !== form.elements.source.value;
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
      ofDrop(event.dataTransfer).then(choose, () => tell("file_name", "What you dropped cannot be read on this machine."));
    },
  };
  for (const [name, listen] of Object.entries(listeners)) document.addEventListener(name, listen);

  for (const kind of ["file", "folder"]) {
    const input = part(`${kind}-input`);
    part(kind === "file" ? "files" : "folder").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      choose(ofInput(input.files));
      input.value = "";
    });
  }
  form.addEventListener("change", showSource);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!under) begin();
  });
  part("stop").addEventListener("click", () => under?.stop.abort());
  const warn = (event) => {
    if (under) event.preventDefault();
  };
  addEventListener("beforeunload", warn);
  addEventListener("pagehide", callOff);
  showSource();
  form.dataset.state = "ready";
  return () => {
    for (const [name, listen] of Object.entries(listeners)) document.removeEventListener(name, listen);
    removeEventListener("beforeunload", warn);
    removeEventListener("pagehide", callOff);
  };
});
