/**
 * The parts of the Model Context Protocol that the managers store and route, as
 * structural types. Objects of the official SDKs and of tmcp fit without
 * conversion.
 *
 * Optional fields also accept `undefined`, so that they fit under
 * `exactOptionalPropertyTypes`.
 *
 * @module
 */

/**
 * What a client says about itself in `initialize` (specification type
 * `Implementation`).
 */
export interface ClientInfo {
  /** The client's name for programs, for example `"example-client"`. */
  name: string;
  /** The client's version. */
  version: string;
  /** The client's name for people. */
  title?: string | undefined;
  /** A sentence about the client. */
  description?: string | undefined;
  /** The URL of the client's website. */
  websiteUrl?: string | undefined;
  /** Icons that a user interface can show. */
  icons?: ClientIcon[] | undefined;
}

/** An icon of a client (specification type `Icon`). */
export interface ClientIcon {
  /** The URL of the image, `https:` or `data:`. */
  src: string;
  /** The media type, if the URL does not tell it. */
  mimeType?: string | undefined;
  /** Sizes such as `"48x48"` or `"any"`. */
  sizes?: string[] | undefined;
}

/**
 * What a client can do, from `initialize`. Clients may add capabilities of
 * their own.
 */
export interface ClientCapabilities {
  /** Capabilities outside the specification. */
  experimental?: { [key: string]: unknown } | undefined;
  /** The client can ask a language model on the server's behalf. */
  sampling?: { [key: string]: unknown } | undefined;
  /** The client can ask its user for input (elicitation). */
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
  /** Any other capability. */
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

/**
 * A JSON-RPC 2.0 notification: a method and its parameters, without a response.
 */
export interface JSONRPCNotification {
  /** The version of JSON-RPC. */
  jsonrpc: "2.0";
  /** For example `"notifications/tools/list_changed"`. */
  method: string;
  /** The parameters. Their type is open, as in the official SDKs. */
  // deno-lint-ignore no-explicit-any
  params?: any;
}

/**
 * What a `subscriptions/listen` request subscribes to (2026-07-28,
 * Subscriptions, "Notification Filter"). Omitted fields are not subscribed to.
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
