// The dialog that exports a camera's results: instants in the visitor's own time zone.
import { component } from "./component.js";

const DAY_MS = 86_400_000;
const WORDS = {
  400: "That time cannot be exported: at most 31 days at once.",
  429: "You have an export under way: one at a time. Try again when it is done.",
};

// What <input type="datetime-local"> holds: local time, no zone.
function local(at) {
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

component("[data-export-results]", (dialog) => {
  const form = dialog.querySelector("form");
  const says = dialog.querySelector("[data-says]");
  const { from, to, format } = form.elements;
  const say = (words) => { says.textContent = words; };

  const open = () => {
    to.value = local(new Date());
    from.value = local(new Date(Date.now() - DAY_MS));
    say("");
    dialog.showModal();
  };

  // Asked ahead whether it would come, so that a refusal is words here and no page of JSON.
  const download = async () => {
    const [since, until] = [new Date(from.value), new Date(to.value)];
    if (until <= since) return say("It must end later than it begins.");
    if (until - since > 31 * DAY_MS) return say(WORDS[400]);
    const query = new URLSearchParams({
      camera: form.dataset.camera, from: since.toISOString(), to: until.toISOString(), format: format.value,
    });
    const url = `${form.action}?${query}`;
    const { ok, status } = await fetch(url, { method: "HEAD" }).catch(() => ({ ok: false, status: 0 }));
    if (!ok) return say(WORDS[status] ?? "It cannot be exported right now.");
    dialog.close();
    location.assign(url);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    download();
  });
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  const button = document.querySelector(`[data-opens="${dialog.id}"]`);
  button.addEventListener("click", open);
  button.disabled = false;
});
