// Figures, colours and words that several parts of the editor share.
const N_SERIES = 8;

export function percent(score) {
  return `${Math.round(100 * score)}%`;
}

// The colour of a class: the same on every picture of a bundle.
export function series(item, label) {
  const index = Math.max(0, item.labels.indexOf(label));
  return `var(--series-${(index % N_SERIES) + 1})`;
}

export function plural(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

export function timeOf(instant) {
  return new Date(instant).toLocaleString([], {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
}
