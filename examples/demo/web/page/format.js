/** Formats a count with thousands separators. */
export function formatCount(value) {
  return Math.round(value).toLocaleString("en");
}

/** Formats a number of bytes with a unit. */
export function formatBytes(bytes) {
  if (bytes < 1_024) return `${formatCount(bytes)} B`;
  if (bytes < 1_048_576) return `${formatCount(bytes / 1_024)} KiB`;
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Returns "1 thing" or "2 things". */
export function plural(count, thing) {
  return `${formatCount(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** Formats the time of day. */
export function formatTime(date) {
  return date.toLocaleTimeString("en-GB");
}

/** Sets the text of an element, if it has changed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shortens a long ID. */
export function shortId(id) {
  return id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
}
