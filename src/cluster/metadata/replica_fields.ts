import type { FieldWrite } from "../messaging/protocol.ts";
import type { Fields } from "./replicated_records.ts";

/** The beginning of the names of fields for subscriptions to resources. */
export const SUBSCRIPTION = "subscription ";

/**
 * Returns the resource of a subscription field; `undefined` for other fields.
 */
export function uriOf(field: string): string | undefined {
  return field.startsWith(SUBSCRIPTION)
    ? field.slice(SUBSCRIPTION.length)
    : undefined;
}

/** Returns the writes that lead to the fields of a session. */
export function writesOf(fields: Fields): FieldWrite[] {
  return [...fields].map(([field, [value, at]]) => [field, value, at]);
}
