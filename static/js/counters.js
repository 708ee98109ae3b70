// Figures that follow `fw:counters`, and their course over the last two minutes.
import { component } from "./component.js";
import { resolved } from "./colours.js";

const KEPT = 240; // two a second
const history = new Map();

component("[data-counter]", (element) => {
  const { counter, digits = "0" } = element.dataset;
  const format = new Intl.NumberFormat("en", {
    minimumFractionDigits: Number(digits), maximumFractionDigits: Number(digits),
  });
  const show = ({ detail }) => {
    const text = format.format(detail[counter]);
    if (element.textContent !== text) element.textContent = text;
  };
  document.body.addEventListener("fw:counters", show);
  return () => document.body.removeEventListener("fw:counters", show);
});

component("[data-sparkline]", (canvas) => {
  const name = canvas.dataset.sparkline;
  const values = history.get(name) ?? [];
  history.set(name, values);
  const context = canvas.getContext("2d");
  let colour = resolved("var(--accent)", canvas.parentElement);

  function draw() {
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (values.length < 2) return;
    const top = Math.max(...values, 1) * 1.15;
    const x = (i) => width - (values.length - 1 - i) * (width / (KEPT - 1));
    const y = (value) => height - 1.5 - (value / top) * (height - 3);
    context.beginPath();
    values.forEach((value, i) => context.lineTo(x(i), y(value)));
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(x(0), height);
    context.globalAlpha = 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }

  const add = ({ detail }) => {
    values.push(detail[name]);
    if (values.length > KEPT) values.shift();
    draw();
  };
  const recolour = () => {
    colour = resolved("var(--accent)", canvas.parentElement);
    draw();
  };
  const resize = new ResizeObserver(draw);
  resize.observe(canvas);
  document.body.addEventListener("fw:counters", add);
  document.body.addEventListener("fw:theme", recolour);
  return () => {
    resize.disconnect();
    document.body.removeEventListener("fw:counters", add);
    document.body.removeEventListener("fw:theme", recolour);
  };
});
