// A component is a selector and what to do with each element that matches it, now and after every
// swap by htmx. `mount` may return a function that is called when the element leaves the page.
const components = [];
const mounted = new WeakMap();

export function component(selector, mount) {
  components.push({ selector, mount });
  mountIn(document, [components.at(-1)]);
}

function mountIn(root, which = components) {
  for (const { selector, mount } of which) {
    const found = [...root.querySelectorAll(selector)];
    if (root instanceof Element && root.matches(selector)) found.unshift(root);
    for (const element of found) {
      const known = mounted.get(element) ?? new Map();
      if (known.has(selector)) continue;
      mounted.set(element, known);
      known.set(selector, mount(element) ?? null);
    }
  }
}

document.addEventListener("htmx:load", (event) => mountIn(event.target));
document.addEventListener("htmx:beforeCleanupElement", (event) => {
  for (const leave of mounted.get(event.target)?.values() ?? []) leave?.();
  mounted.delete(event.target);
});
