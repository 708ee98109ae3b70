// <time data-clock> in the visitor's own time, with the day where that is asked for; <time
// data-running> counts, with the words of the template tag `running_since`.
const MINUTE = 60, HOUR = 3600, DAY = 86400;
const UNITS = [[DAY, "d", HOUR, "h"], [HOUR, "h", MINUTE, "min"], [MINUTE, "min", 1, "s"]];
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

function duration(seconds) {
  for (const [unit, name, part, partName] of UNITS) {
    if (seconds < unit) continue;
    const rest = Math.floor((seconds % unit) / part);
    return `${Math.floor(seconds / unit)} ${name}${rest ? ` ${rest} ${partName}` : ""}`;
  }
  return `${seconds} s`;
}

function tick(root = document) {
  for (const element of root.querySelectorAll("time[data-running]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000));
    element.textContent = `running for ${duration(seconds)}`;
  }
}

export function localize(root = document) {
  for (const element of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(element.dateTime);
    element.textContent = (element.dataset.clock === "day" ? dayAndClock : clock).format(at);
    element.title = at.toLocaleString();
  }
  tick(root);
}

localize();
setInterval(tick, 1000);
document.addEventListener("htmx:load", (event) => localize(event.target));
