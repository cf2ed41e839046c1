import { describe } from "./describe.ts";
import { InvalidArgumentError } from "./errors.ts";

/** What every manager takes. */
export interface ReportingOptions {
  /**
   * Told of every stream and subscription that took no more data and was removed
   * or lost something on its way out (a `DeliveryError`), and of every write that
   * the manager of metadata refused, awaited or not. What it throws is ignored.
   *
   * @default undefined nobody is told
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** Options of a manager of streams. */
export interface StreamOptions {
  /**
   * How many sessions may have a stream at once; one more is refused with a
   * `SessionLimitError`. Replacing the stream of a session always works.
   *
   * @default Infinity
   */
  readonly maxSessions?: number | undefined;
}

/** Options of a manager of `subscriptions/listen` streams. */
export interface SubscriptionOptions {
  /**
   * How long `close` waits for what was sent before it, and `send` for the
   * slowest subscription, in milliseconds. A subscription that is being closed
   * is closed then, whether it has settled or not.
   *
   * @default 1_000
   */
  readonly deadlineMs?: number | undefined;
  /**
   * How old the oldest notification that a subscription has not taken may grow,
   * in milliseconds. Past it the subscription is closed and removed, so that
   * nothing piles up behind it.
   *
   * @default 30_000
   */
  readonly maxAgeMs?: number | undefined;
}

/** Options of a `…Sessions` object: one vocabulary for every backend. */
export interface SessionsOptions extends ReportingOptions {
  /** For `sessions.streams`. */
  readonly streams?: StreamOptions | undefined;
  /** For `sessions.subscriptions`. */
  readonly subscriptions?: SubscriptionOptions | undefined;
}

/**
 * The options of a manager of streams with their defaults filled in.
 *
 * @param options What the user gave.
 * @param group Where in the user's options they stand, for the errors.
 */
export function resolveStreamOptions(
  options: StreamOptions | undefined,
  group: string = "options",
): { maxSessions: number } {
  const { maxSessions } = optionGroup(group, options);
  return {
    maxSessions: count(nameOf(group, "maxSessions"), maxSessions, Infinity),
  };
}

/**
 * The options of a manager of subscriptions with their defaults filled in.
 *
 * @param options What the user gave.
 * @param group Where in the user's options they stand, for the errors.
 */
export function resolveSubscriptionOptions(
  options: SubscriptionOptions | undefined,
  group: string = "options",
): { deadlineMs: number; maxAgeMs: number } {
  const { deadlineMs, maxAgeMs } = optionGroup(group, options);
  return {
    deadlineMs: delay(nameOf(group, "deadlineMs"), deadlineMs, 1_000),
    maxAgeMs: delay(nameOf(group, "maxAgeMs"), maxAgeMs, 30_000),
  };
}

/**
 * Calls `onError`, and lets nothing that it throws get in the way of the delivery
 * that is under way.
 */
export function reporter(
  onError: ReportingOptions["onError"],
): (error: Error) => void {
  if (onError === undefined) return () => {};
  if (typeof onError !== "function") {
    throw new InvalidArgumentError(
      "onError",
      `"onError" has to be a function, not ${describe(onError)}.`,
    );
  }
  return (error) => {
    try {
      onError(error);
    } catch {
      // Whoever reports errors has nobody left to report its own to.
    }
  };
}

/** A group of options that is left out or an object. */
export function optionGroup<T extends object>(
  name: string,
  value: T | undefined,
): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) {
    throw new InvalidArgumentError(
      name,
      `"${name}" has to be an object, not ${describe(value)}.`,
    );
  }
  return value;
}

/** The options of a manager have no group of their own. */
function nameOf(group: string, option: string): string {
  return group === "options" ? option : `${group}.${option}`;
}

/** A whole number of at least 1, or Infinity for "no limit". */
function count(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" has to be a whole number of at least 1, or Infinity for no ` +
      `limit, not ${describe(value)}.`,
  );
}

/** Longest delay that `setTimeout` takes, in milliseconds: about 24.8 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A number of milliseconds that a timer can wait for. */
function delay(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value > 0 && value <= MAX_DELAY_MS) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" has to be a number of milliseconds above 0 and up to ` +
      `${MAX_DELAY_MS}, not ${describe(value)}.`,
  );
}
