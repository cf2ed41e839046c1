import { JsonSchemaAdapter } from "tmcp/adapter";

/** A plain JSON Schema in the form of a Standard Schema. */
export interface JsonSchema<
  T extends Record<string, unknown> = Record<string, unknown>,
> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<T>;
    readonly types?: { readonly input: T; readonly output: T };
  };
  /** The schema that clients see. */
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
 * Passes JSON Schema to tmcp unchanged. The adapters for schema libraries
 * convert it to an older draft and lose keywords that the suite checks; that is
 * not under test here.
 */
export class PassThroughAdapter extends JsonSchemaAdapter<JsonSchema> {
  override toJsonSchema(
    { json }: JsonSchema,
  ): ReturnType<JsonSchemaAdapter<JsonSchema>["toJsonSchema"]> {
    return Promise.resolve(json);
  }
}

/** Returns a schema that checks only which properties exist. */
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

/** Returns the schema of an object with these properties. */
export function object(
  properties: Record<string, JsonObject>,
  required: readonly string[] = [],
): JsonSchema {
  return jsonSchema({ type: "object", properties, required });
}

/** Returns the schema of required strings, by name, with their descriptions. */
export function strings<Name extends string>(
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
