import { InvalidArgumentError } from "../errors.ts";

/**
 * Throws if an object does not have exactly one of two properties.
 *
 * @param argument The name of the argument, for the error.
 * @param given The object.
 * @param names The properties.
 * @param hint The end of the message.
 * @throws {InvalidArgumentError} If it has neither or both.
 */
export function assertOneOf<Name extends string>(
  argument: string,
  given: { readonly [name in Name]?: unknown },
  [first, second]: readonly [Name, Name],
  hint: string,
): void {
  const hasFirst = given[first] !== undefined;
  if (hasFirst !== (given[second] !== undefined)) return;
  throw new InvalidArgumentError(
    argument,
    `"${argument}" must have either "${first}" or "${second}", but has ` +
      `${hasFirst ? "both" : "neither"}. ${hint}`,
  );
}
