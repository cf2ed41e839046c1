import { describe } from "../describe.ts";
import { InvalidArgumentError } from "../errors.ts";
import { LOGGING_LEVELS, type LoggingLevel } from "../mcp_types.ts";

/** Refuses what is neither a log level nor `undefined`. */
export function assertLevel(level: LoggingLevel | undefined): void {
  if (level === undefined || LOGGING_LEVELS.includes(level)) return;
  throw new InvalidArgumentError(
    "level",
    `${describe(level)} is no log level. ` +
      `Use one of ${LOGGING_LEVELS.join(", ")}.`,
  );
}

/** Refuses what cannot be the URI of a resource. */
export function assertUri(uri: unknown): asserts uri is string {
  if (typeof uri === "string") return;
  throw new InvalidArgumentError(
    "uri",
    `A resource URI has to be a string, not ${describe(uri)}.`,
  );
}
