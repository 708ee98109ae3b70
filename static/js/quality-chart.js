// What a camera's pictures are like over time: the median, what four of five frames lie between,
// and when something was wrong.
import uPlot from "../vendor/uplot/uplot.js";
import { component } from "./component.js";
import { bandOptions, FORMS } from "./quality-options.js";
import { dayAndClock, IN_WORDS, TimeChart } from "./time-chart.js";

const MOST_MARKS = 4;

class QualityChart extends TimeChart {
  constructor(root) {
    super(root, root.dataset.qualityChart, { feature: "sharpness", span: "1h" });
    this.marks = root.querySelector("[data-marks]");
  }

  render() {
    const { times, p10, p50, p90, marks } = this.figures;
    const { feature, span } = this.choice;
    this.plot = new uPlot(bandOptions({ box: this.box, figures: this.figures, feature, span }), [times, p90, p50, p10], this.box);
    const known = p50.filter((value) => value !== null);
    if (!known.length) this.sayEmpty(`Nothing measured in ${IN_WORDS[span]}`);
    const form = FORMS[feature];
    const range = known.length ? `median ${form(Math.min(...known))} to ${form(Math.max(...known))}` : "nothing measured";
    this.box.setAttribute("aria-label", `${feature} in ${IN_WORDS[span]}: ${range}, ${marks.length} troubles`);
    this.drawMarks(marks);
  }

  drawMarks(marks) {
    const newest = marks.slice(-MOST_MARKS).reverse();
    this.marks.replaceChildren(...newest.map(({ begins, ends, title, detail, address }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const when = document.createElement("span");
      link.href = address;
      link.textContent = title;
      link.title = detail;
      when.className = "faint";
      when.textContent = ends === null ? `since ${dayAndClock(begins)}` : dayAndClock(begins);
      item.append(link, when);
      return item;
    }));
  }
}

component("[data-quality-chart]", (root) => {
  const chart = new QualityChart(root);
  return () => chart.leave();
});
