// Keeps <time data-ago> in relative words; the words are those of the `ago` template tag.
const MINUTE = 60, HOUR = 3600, DAY = 86400;

function relative(seconds) {
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  const days = Math.floor(seconds / DAY);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const words = relative((Date.now() - Date.parse(element.dateTime)) / 1000);
    if (element.textContent !== words) element.textContent = words;
    if (element.title.endsWith("UTC")) element.title = new Date(element.dateTime).toLocaleString();
  }
}

setInterval(refreshTimes, 15000);
