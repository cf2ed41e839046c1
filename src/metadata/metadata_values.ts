import { formatValue } from "../format_value.ts";
import type { InfoSettings } from "../contracts/resolve_options.ts";
import { ClosedError, InvalidArgumentError, LimitError } from "../errors.ts";
import { assertString } from "../runtime/assert_string.ts";
import { exceedsBytes } from "../runtime/utf8_length.ts";
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

/** How long values may be, in bytes. */
export type ValueLimits = Pick<
  InfoSettings,
  | "maxUriBytes"
  | "maxClientInfoBytes"
  | "maxCapabilitiesBytes"
  | "maxDataBytes"
>;

/** Throws if a value cannot be the URI of a resource, or is too long. */
export function assertUri(
  uri: unknown,
  limits: ValueLimits,
): asserts uri is string {
  assertString("uri", uri);
  const { maxUriBytes } = limits;
  if (!exceedsBytes(uri, maxUriBytes)) return;
  throw tooLong("The URI of a resource", "maxUriBytes", maxUriBytes);
}

/** The error of a value that is too long. */
export function tooLong(
  name: string,
  option: keyof ValueLimits,
  limit: number,
): LimitError {
  return new LimitError(`info.${option}`, limit, `${name} has too many bytes.`);
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
