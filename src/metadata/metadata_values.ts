import { formatValue } from "../format_value.ts";
import { ClosedError, InvalidArgumentError } from "../errors.ts";
import { LOGGING_LEVELS, type LoggingLevel } from "../protocol/mcp_types.ts";

/** Throws if a value is neither a log level nor `undefined`. */
export function assertLevel(level: LoggingLevel | undefined): void {
  if (level === undefined || LOGGING_LEVELS.includes(level)) return;
  throw new InvalidArgumentError(
    "level",
    `"level" must be a log level, but got ${formatValue(level)}. ` +
      `Use one of ${LOGGING_LEVELS.join(", ")}.`,
  );
}

/** Throws if a value cannot be the URI of a resource. */
export function assertUri(uri: unknown): asserts uri is string {
  if (typeof uri === "string") return;
  throw new InvalidArgumentError(
    "uri",
    `"uri" must be a string, but got ${formatValue(uri)}.`,
  );
}

/** Throws if a manager is closed. */
export function assertOpen(isClosed: boolean): void {
  if (!isClosed) return;
  throw new ClosedError(
    "This info manager is closed. Create a new one to store metadata.",
  );
}

/**
 * Returns the rejected promise of a setter, and reports the error.
 *
 * @param error The error.
 * @param report Reports it.
 */
export function rejectAndReport(
  error: unknown,
  report: (error: Error) => void,
): Promise<never> {
  report(error as Error);
  const refused = Promise.reject(error);
  // Transports don't wait for setters: without this handler, a client with an
  // invalid session ID would end the process.
  refused.catch(() => {});
  return refused;
}
