import { formatValue } from "./describe.ts";
import { InvalidArgumentError } from "../errors.ts";

/**
 * A callback of the user's, safe to call in the midst of a delivery: what it
 * throws is ignored, for whoever is told of errors has nobody to tell of its own.
 *
 * @param name The option it came in.
 * @param callback What the user gave.
 */
export function safeCallback<Args extends unknown[]>(
  name: string,
  callback: ((...args: Args) => void) | undefined,
): (...args: Args) => void {
  if (callback === undefined) return () => {};
  if (typeof callback !== "function") {
    throw new InvalidArgumentError(
      name,
      `"${name}" has to be a function, not ${formatValue(callback)}.`,
    );
  }
  return (...args) => {
    try {
      callback(...args);
    } catch {
      // See above.
    }
  };
}
