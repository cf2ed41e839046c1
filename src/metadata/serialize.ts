import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";

/**
 * Serializes an object as JSON; `undefined` is returned unchanged.
 *
 * @param argument The name of the argument, for the error.
 * @param value The object.
 * @throws {InvalidArgumentError} If the value is not an object, or not
 * serializable.
 */
export function serialize(
  argument: string,
  value: object | undefined,
): string | undefined {
  if (value === undefined) return undefined;
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text === undefined || !text.startsWith("{")) {
    throw new InvalidArgumentError(
      argument,
      `"${argument}" must be an object that is serializable as JSON, but got ` +
        `${formatValue(value)}.`,
      { cause },
    );
  }
  return text;
}
