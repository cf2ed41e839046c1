import { formatValue } from "../runtime/describe.ts";
import { InvalidArgumentError } from "../errors.ts";

/**
 * An object as JSON text; `undefined` stays what it is.
 *
 * @param argument What it is called in the error.
 * @param value The object.
 * @throws {InvalidArgumentError} For what is no object, or not for JSON.
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
      `"${argument}" has to be an object that JSON can express, not ` +
        `${formatValue(value)}.`,
      { cause },
    );
  }
  return text;
}
