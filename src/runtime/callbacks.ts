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
  assertFunction(name, callback);
  return (...args) => {
    try {
      callback(...args);
    } catch {
      // Ignored on purpose, see above.
    }
  };
}

/**
 * The same, but errors that it throws are reported, and so are those of a
 * promise that it returns.
 *
 * @param name The name of the option.
 * @param callback The user's value.
 * @param report Reports an error. It must not throw.
 */
export function reportingCallback<Args extends unknown[]>(
  name: string,
  callback: ((...args: Args) => void) | undefined,
  report: (error: Error) => void,
): (...args: Args) => void {
  if (callback === undefined) return () => {};
  assertFunction(name, callback);
  return (...args) => {
    try {
      const result: unknown = callback(...args);
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error as Error);
    }
  };
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a function, but got ${formatValue(value)}.`,
  );
}

/** Listeners, which must not throw. */
export class Listeners<Value> {
  /** The same function may be added twice: then it is two listeners. */
  readonly #entries: Set<{ readonly listener: (value: Value) => void }> =
    new Set();

  /** Adds a listener; the result removes it. */
  add(listener: (value: Value) => void): () => void {
    const entry = { listener };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /** Calls all listeners that there are now. */
  notify(value: Value): void {
    if (this.#entries.size === 0) return;
    for (const { listener } of [...this.#entries]) listener(value);
  }
}
