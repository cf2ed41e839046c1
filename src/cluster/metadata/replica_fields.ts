import type { StoredSummary } from "../../metadata/metadata_store.ts";
import type { FieldWrite } from "../messaging/protocol.ts";
import { PRINCIPAL, principalOf, startedAtOf } from "./registered_sessions.ts";
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

/**
 * Returns what is stored of a session that began through the guard.
 *
 * @param fields Its fields.
 * @param age How many milliseconds ago it was used.
 */
export function describeFields(
  fields: Fields,
  age: number,
): StoredSummary | undefined {
  const registration = fields.get(PRINCIPAL);
  if (registration === undefined) return undefined;
  return {
    principal: principalOf(registration),
    clientInfo: fields.get("clientInfo")?.[0],
    startedAt: startedAtOf(registration),
    lastUsedAt: Date.now() - age,
  };
}
