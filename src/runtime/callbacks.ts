import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";

/**
 * Wraps a callback of the user so that it is safe to call during a delivery.
 * Errors that it throws are ignored: there is nowhere to report an error of
 * `onError`.
 *
 * @param name The name of the option.
 * @param callback The user's value.
 */
export function safeCallback<Args extends unknown[]>(
  name: string,
  callback: ((...args: Args) => void) | undefined,
): (...args: Args) => void {
  if (callback === undefined) return () => {};
  if (typeof callback !== "function") {
    throw new InvalidArgumentError(
      name,
      `"${name}" must be a function, but got ${formatValue(callback)}.`,
    );
  }
  return (...args) => {
    try {
      callback(...args);
    } catch {
      // Ignored on purpose, see above.
    }
  };
}
