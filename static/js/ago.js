// Keeps <time data-ago="ago"> ("3 min ago") and <time data-ago="for"> ("for 3 min") true while the
// page is open; the words are those of the template tags `ago` and `lasting`.
const MINUTE = 60, HOUR = 3600, DAY = 86400;

function length(seconds) {
  if (seconds < MINUTE) return "";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  const days = Math.floor(seconds / DAY);
  return days === 1 ? "1 day" : `${days} days`;
}

function inWords(form, passed) {
  if (form === "for") return passed ? `for ${passed}` : "for a moment";
  return passed ? `${passed} ago` : "just now";
}

export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const passed = length((Date.now() - Date.parse(element.dateTime)) / 1000);
    const words = inWords(element.dataset.ago, passed);
    if (element.textContent !== words) element.textContent = words;
    if (element.title.endsWith("UTC")) element.title = new Date(element.dateTime).toLocaleString();
  }
}

setInterval(refreshTimes, 15000);
