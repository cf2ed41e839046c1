import type { MetadataField } from "../../metadata/metadata_store.ts";

/**
 * The names of fields in a session's hash. They are short because each character
 * is stored for every session. The fields of the registration are "r" (the
 * principal), "n" (the start event ID) and "w" (when it began). Those of the
 * owner are "h", "i" and "p", and those of the log are "q" and "t".
 */
export const FIELD_NAMES: Readonly<Record<MetadataField, string>> = {
  clientInfo: "c",
  clientCapabilities: "b",
  logLevel: "l",
  data: "d",
  initialize: "a",
  host: "s",
};

/** The names of metadata fields that have one letter. */
export const METADATA_LETTERS: string = Object.values(FIELD_NAMES).join("") +
  "rnw";

/** Returns the field of a subscription to a resource. */
export function subscriptionField(uri: string): string {
  return `u:${uri}`;
}

/** Returns whether a field is metadata, rather than about the owner. */
export function isMetadataField(name: string): boolean {
  return name.length === 1
    ? METADATA_LETTERS.includes(name)
    : name.startsWith("u:");
}
