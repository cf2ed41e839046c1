/**
 * Messages between processes, one line each: JSON that distinguishes
 * `undefined` from `null`, because `undefined` means all sessions.
 */
const UNDEFINED = "\0undefined";

/** Formats a value as a line. */
export function toLine(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_, part) => part === undefined ? UNDEFINED : part,
  );
  return `${text}\n`;
}

/** Parses a line. */
export function fromLine(line: string): unknown {
  return restored(JSON.parse(line));
}

function restored(value: unknown): unknown {
  if (value === UNDEFINED) return undefined;
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, restored(part)]),
  );
}
