// One picture, sent the way a program sends it; what was found is drawn over it.
import { BoxPainter } from "../boxes.js";
import { labelOnVideo } from "../colours.js";
import { component } from "../component.js";
import { csrfToken } from "../csrf.js";

const KINDS = ["image/jpeg", "image/png"];
const AWAY = "The hub does not answer. Try again in a moment.";

component("[data-try]", (desk) => {
  const part = (name) => desk.querySelector(`[data-part=${name}]`);
  const zone = part("zone"), picture = part("picture"), canvas = part("boxes");
  const painter = new BoxPainter(canvas);
  painter.by = "label";
  let file = null, found = [], size = {}, turn = 0;

  const draw = () => painter.draw(found, size);
  const resize = new ResizeObserver(draw);
  resize.observe(zone);

  function take(chosen) {
    if (!chosen) return;
    clear();
    if (!KINDS.includes(chosen.type)) return refuse("This is no JPEG or PNG.");
    if (chosen.size > Number(desk.dataset.mostBytes)) return refuse(`This picture has ${Math.ceil(chosen.size / 2 ** 20)} MB; at most ${desk.dataset.mostBytes / 2 ** 20} are taken.`);
    file = chosen;
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(file);
    picture.alt = file.name;
    picture.hidden = canvas.hidden = false;
    part("empty").hidden = true;
    part("again").hidden = false;
    zone.classList.add("has-picture");
    judge();
  }

  async function judge() {
    const mine = (turn += 1);
    clear();
    zone.classList.add("is-busy");
    part("said").textContent = "Judging…";
    const begun = performance.now();
    const outcome = await ask(file).catch(() => ({ problem: AWAY }));
    if (mine !== turn) return; // another picture was chosen meanwhile
    zone.classList.remove("is-busy");
    if (outcome.problem) refuse(outcome.problem);
    else show(outcome.judged, performance.now() - begun);
  }

  async function ask(body) {
    const admitted = await fetch(desk.dataset.token, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
    if (!admitted.ok) return { problem: admitted.status === 403 ? "You may not do that." : AWAY };
    const { token } = await admitted.json();
    const model = part("model")?.value;
    const query = new URLSearchParams({ budget_ms: 5000, ...(model && { model }) });
    const answer = await fetch(`${desk.dataset.detect}?${query}`, {
      method: "POST", body, credentials: "omit", headers: { Authorization: `Bearer ${token}`, "Content-Type": body.type },
    });
    const said = await answer.json();
    return answer.ok ? { judged: said } : { problem: inWords(said, answer) };
  }

  function show(judged, took) {
    size = { width: judged.width, height: judged.height };
    found = judged.detections.map(({ name, score, box: [x0, y0, x1, y1] }) => ({ name, score, x0, y0, x1, y1, track: 0 }));
    draw();
    const n = found.length;
    part("said").textContent = n ? `${n} thing${n === 1 ? "" : "s"}, by ${judged.model}.` : `Nothing that ${judged.model} knows.`;
    part("found").replaceChildren(...[...found].sort((a, b) => b.score - a.score).map(rowOf));
    const times = [
      ["Waited", judged.waited_ms], ["Decoding", judged.decode_ms], ["Judging", judged.infer_ms], ["There and back", took],
    ];
    part("times").replaceChildren(...times.flatMap(([name, ms]) => [cell("dt", name), cell("dd", `${ms.toFixed(ms < 10 ? 1 : 0)} ms`)]),
      cell("dt", "Version"), cell("dd", judged.version.slice(0, 8)));
    part("times").hidden = false;
  }

  function refuse(words) {
    part("problem").textContent = words;
    part("problem").hidden = false;
    part("said").textContent = "";
  }

  function clear() {
    found = [];
    draw();
    part("problem").hidden = part("times").hidden = true;
    part("found").replaceChildren();
    part("said").textContent = "";
  }

  part("choose").addEventListener("click", () => part("file").click());
  part("file").addEventListener("change", ({ target }) => take(target.files[0]));
  part("again").addEventListener("click", judge);
  part("model")?.addEventListener("change", () => file && judge());
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  return () => resize.disconnect();
});

function inWords(said, answer) {
  const wait = answer.headers.get("Retry-After");
  const words = Object.values(said.errors ?? {}).flat().join(" ") || said.detail || said.title || `The tier answered ${answer.status}.`;
  return wait ? `${words} (Again in ${wait} s.)` : words;
}

function rowOf({ name, score }) {
  const row = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = "try__swatch";
  swatch.style.background = labelOnVideo(name);
  row.append(swatch, name, cell("b", `${Math.round(100 * score)} %`));
  return row;
}

function cell(kind, words) {
  const element = document.createElement(kind);
  element.textContent = words;
  return element;
}
