// One click says that what is shown just now is wrong: the very picture goes to the labelers.
import { component } from "./component.js";
import { csrfToken } from "./csrf.js";
import { toast } from "./toasts.js";

const MAX_WIDTH = 1280, QUALITY = 0.9;

component("[data-report]", (button) => {
  const root = button.closest("[data-live-view]");
  button.addEventListener("click", async () => {
    const frame = takeFrame(root);
    if (!frame) return toast("There is no live picture yet.", "warn");
    button.disabled = true;
    try {
      await report({ camera: button.dataset.report, ...frame });
    } finally {
      button.disabled = false;
    }
  });
});

// The picture on the screen, with its instant by the camera's own clock.
function takeFrame(root) {
  const capturedAt = Number(root.dataset.capturedAt);
  const shown = root.dataset.mode === "video" ? root.querySelector("[data-video].is-shown") : root.querySelector("[data-picture]");
  const width = shown?.videoWidth || shown?.width, height = shown?.videoHeight || shown?.height;
  if (!capturedAt || !width || !height) return null;
  const canvas = document.createElement("canvas");
  canvas.width = Math.min(width, MAX_WIDTH);
  canvas.height = Math.round((canvas.width / width) * height);
  canvas.getContext("2d").drawImage(shown, 0, 0, canvas.width, canvas.height);
  const [, picture] = canvas.toDataURL("image/jpeg", QUALITY).split(",");
  return { captured_at: new Date(capturedAt).toISOString(), width: canvas.width, height: canvas.height, picture };
}

async function report(body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  const answer = await fetch("/api/v1/reports/", { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (answer?.status === 201) return toast("Thank you: labelers look at this picture next.");
  const problem = await answer?.json().catch(() => null);
  toast(problem?.detail ?? "The hub cannot be reached.", "warn");
}
