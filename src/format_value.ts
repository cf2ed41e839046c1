/** Formats a value for an error message: short, and safe to log. */
export function formatValue(value: unknown): string {
  if (typeof value === "string") {
    const short = value.length > 40 ? `${value.slice(0, 40)}…` : value;
    return value.length > 40
      ? `${JSON.stringify(short)} (${value.length} characters)`
      : JSON.stringify(short);
  }
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
