import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";

/**
 * Throws if a value is not a string.
 *
 * @param argument The name of the argument, for the error.
 * @param value The value.
 */
export function assertString(
  argument: string,
  value: unknown,
): asserts value is string {
  if (typeof value === "string") return;
  throw new InvalidArgumentError(
    argument,
    `"${argument}" must be a string, but got ${formatValue(value)}.`,
  );
}
