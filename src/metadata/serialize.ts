import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";

/**
 * Serializes the data of a session as JSON; `undefined` is returned unchanged.
 *
 * @param data Any value.
 * @param maxBytes How long it may be, in bytes.
 * @throws {InvalidArgumentError} If the value is not serializable, or too large.
 */
export function serializeData(
  data: unknown,
  maxBytes: number,
): string | undefined {
  if (data === undefined) return undefined;
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(data);
  } catch (error) {
    cause = error;
  }
  if (text === undefined) {
    throw new InvalidArgumentError(
      "data",
      `"data" must be serializable as JSON, but got ${formatValue(data)}.`,
      { cause },
    );
  }
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= maxBytes) return text;
  throw new InvalidArgumentError(
    "data",
    `"data" must be at most ${maxBytes} bytes of JSON, but has ${bytes}. Store ` +
      'large values elsewhere, or raise "info.maxDataBytes".',
  );
}

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
