/** Elements without markup: every text becomes a text node. */

/**
 * An element. `props` are attributes; `true` sets an empty one, `false` and null none. `on` holds
 * listeners by event. Children are nodes and texts; null is skipped.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** The nth id on this page, so that labels and their fields find each other. */
export function freshId(word) {
  freshId.count = (freshId.count ?? 0) + 1;
  return `${word}-${freshId.count}`;
}

/** A button with a text. */
export function button(text, onClick, props = {}) {
  return el("button", { type: "button", on: { click: onClick }, ...props }, text);
}

/** Let the browser save a text as a file. */
export function download(name, text, kind = "application/json") {
  const url = URL.createObjectURL(new Blob([text], { type: kind }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
