// Runs before the first paint, blocking: a chosen theme never flashes.
try {
  const chosen = localStorage.getItem("farwatch.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is off in this browser: the system's theme it is.
}
