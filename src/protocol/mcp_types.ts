/**
 * The parts of the Model Context Protocol that the managers store and route,
 * as structural types: an object of the official SDKs or of tmcp fits as it is.
 *
 * Optional fields accept `undefined` too, so that they also fit under
 * `exactOptionalPropertyTypes`.
 *
 * @module
 */

/**
 * What a client says it is, from `initialize` (specification type
 * `Implementation`).
 */
export interface ClientInfo {
  /** Name for programs, for example `"example-client"`. */
  name: string;
  /** Version of the client. */
  version: string;
  /** Name for people. */
  title?: string | undefined;
  /** What the client does, in a sentence. */
  description?: string | undefined;
  /** Address of the client's web site. */
  websiteUrl?: string | undefined;
  /** Pictures that a user interface can show. */
  icons?: ClientIcon[] | undefined;
}

/** A picture of a client (specification type `Icon`). */
export interface ClientIcon {
  /** Address of the picture, `https:` or `data:`. */
  src: string;
  /** Media type, where the address does not tell it. */
  mimeType?: string | undefined;
  /** Sizes such as `"48x48"` or `"any"`. */
  sizes?: string[] | undefined;
}

/**
 * What a client can do, from `initialize`. The set is open: a client may name
 * capabilities of its own.
 */
export interface ClientCapabilities {
  /** Capabilities outside the specification. */
  experimental?: { [key: string]: unknown } | undefined;
  /** The client can ask a language model on the server's behalf. */
  sampling?: { [key: string]: unknown } | undefined;
  /** The client can ask its user for input. */
  elicitation?: {
    /** Input through a form. */
    form?: { [key: string]: unknown } | undefined;
    /** Input through a web page. */
    url?: { [key: string]: unknown } | undefined;
    [key: string]: unknown;
  } | undefined;
  /** The client can list its roots. */
  roots?: {
    /** The client announces changes of its roots. */
    listChanged?: boolean | undefined;
    [key: string]: unknown;
  } | undefined;
  /** Extensions by their prefixed name, with their settings. */
  extensions?:
    | { [name: string]: { [key: string]: unknown } }
    | undefined;
  /** Whatever else the client names. */
  [key: string]: unknown;
}

/**
 * Severity of a log message, from least to most urgent: the levels of RFC 5424
 * (specification type `LoggingLevel`).
 */
export type LoggingLevel =
  | "debug"
  | "info"
  | "notice"
  | "warning"
  | "error"
  | "critical"
  | "alert"
  | "emergency";

/** Every {@linkcode LoggingLevel}, from least to most urgent. */
export const LOGGING_LEVELS: readonly LoggingLevel[] = Object.freeze([
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
]);

/** A JSON-RPC 2.0 notification: a method and its parameters, no answer. */
export interface JSONRPCNotification {
  /** Version of JSON-RPC. */
  jsonrpc: "2.0";
  /** For example `"notifications/tools/list_changed"`. */
  method: string;
  /** What the method needs; open, as in the types of the official SDKs. */
  // deno-lint-ignore no-explicit-any
  params?: any;
}

/**
 * What a `subscriptions/listen` request asks for (2026-07-28, Subscriptions,
 * "Notification Filter"). A field left out means: not subscribed.
 */
export interface SubscriptionFilter {
  /** `notifications/tools/list_changed`. */
  toolsListChanged?: boolean | undefined;
  /** `notifications/prompts/list_changed`. */
  promptsListChanged?: boolean | undefined;
  /** `notifications/resources/list_changed`. */
  resourcesListChanged?: boolean | undefined;
  /** `notifications/resources/updated` for exactly these URIs. */
  resourceSubscriptions?: string[] | undefined;
}
