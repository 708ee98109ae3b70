// What was typed survives a reload, a crash, a conflict and a logout: it stays in this tab until
// the hub has it.
const PREFIX = "farwatch.review.";

export function keepDraft(item, answer, isSent = false) {
  const draft = { url: item.url, revision: item.revision, answer, isSent };
  try {
    sessionStorage.setItem(PREFIX + item.id, JSON.stringify(draft));
  } catch {
    // Full or forbidden: the page itself still has it.
  }
}

export function draftOf(item) {
  return read(PREFIX + item.id);
}

export function dropDraft(item) {
  sessionStorage.removeItem(PREFIX + item.id);
}

// Saves that were on their way when the page went away.
export function unfinishedSaves() {
  return Object.keys(sessionStorage)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => ({ id: key.slice(PREFIX.length), ...read(key) }))
    .filter(({ isSent }) => isSent);
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
