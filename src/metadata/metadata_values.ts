import { formatValue } from "../runtime/describe.ts";
import { ClosedError, InvalidArgumentError } from "../errors.ts";
import { LOGGING_LEVELS, type LoggingLevel } from "../protocol/mcp_types.ts";

/** Refuses what is neither a log level nor `undefined`. */
export function assertLevel(level: LoggingLevel | undefined): void {
  if (level === undefined || LOGGING_LEVELS.includes(level)) return;
  throw new InvalidArgumentError(
    "level",
    `${formatValue(level)} is no log level. ` +
      `Use one of ${LOGGING_LEVELS.join(", ")}.`,
  );
}

/** Refuses what cannot be the URI of a resource. */
export function assertUri(uri: unknown): asserts uri is string {
  if (typeof uri === "string") return;
  throw new InvalidArgumentError(
    "uri",
    `A resource URI has to be a string, not ${formatValue(uri)}.`,
  );
}

/** Refuses to store anything once a manager is closed. */
export function assertOpen(isClosed: boolean): void {
  if (!isClosed) return;
  throw new ClosedError(
    "This manager of metadata is closed. Make a new one to store more.",
  );
}

/**
 * What a setter answers that refuses its value.
 *
 * @param error Why.
 * @param report Is told, too.
 */
export function rejectAndReport(
  error: unknown,
  report: (error: Error) => void,
): Promise<never> {
  report(error as Error);
  const refused = Promise.reject(error);
  // Transports do not wait for setters: without this, a client with a bad
  // session id would end the process.
  refused.catch(() => {});
  return refused;
}
