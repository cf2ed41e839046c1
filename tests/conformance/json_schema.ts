import { JsonSchemaAdapter } from "tmcp/adapter";

/** A schema that is JSON Schema already, in the shape of a Standard Schema. */
export interface JsonSchema<
  T extends Record<string, unknown> = Record<string, unknown>,
> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<T>;
    readonly types?: { readonly input: T; readonly output: T };
  };
  /** What clients see. */
  readonly json: JsonObject;
}

type Validated<T> =
  | { readonly value: T }
  | { readonly issues: readonly { readonly message: string }[] };

/** A JSON Schema of an object. */
export interface JsonObject {
  readonly [keyword: string]: unknown;
  readonly required?: readonly string[];
}

/**
 * Hands a JSON Schema to tmcp as it is. The adapters for schema libraries convert
 * to an older draft, and so lose keywords that the suite looks for; which of the
 * two loses them is not what it is asked here.
 */
export class AsItIs extends JsonSchemaAdapter<JsonSchema> {
  override toJsonSchema(
    { json }: JsonSchema,
  ): ReturnType<JsonSchemaAdapter<JsonSchema>["toJsonSchema"]> {
    return Promise.resolve(json);
  }
}

/** A schema that checks no more than which properties are there. */
export function jsonSchema<T extends Record<string, unknown>>(
  json: JsonObject,
): JsonSchema<T> {
  const validate = (value: unknown): Validated<T> => {
    const given = Object(value);
    const missing = json.required?.filter((name) => !(name in given)) ?? [];
    return missing.length === 0
      ? { value: given }
      : { issues: missing.map((name) => ({ message: `No "${name}".` })) };
  };
  return { "~standard": { version: 1, vendor: "conformance", validate }, json };
}

/** A schema of an object with these properties. */
export function object(
  properties: Record<string, JsonObject>,
  required: readonly string[] = [],
): JsonSchema {
  return jsonSchema({ type: "object", properties, required });
}

/** A schema of texts that have to be there, by name, with their descriptions. */
export function texts<Name extends string>(
  descriptions: Readonly<Record<Name, string>>,
): JsonSchema<Record<Name, string>> {
  const properties: Record<string, JsonObject> = {};
  for (const [name, description] of Object.entries(descriptions)) {
    properties[name] = { type: "string", description };
  }
  return jsonSchema({
    type: "object",
    properties,
    required: Object.keys(properties),
  });
}
