/**
 * Session management for MCP servers over HTTP and SSE: holds the long-lived
 * streams, delivers notifications to the right ones, and remembers what each
 * client said about itself. A drop-in replacement for `@tmcp/session-manager`.
 *
 * @example An MCP server
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { HttpTransport } from "@tmcp/transport-http";
 * import { McpServer } from "tmcp";
 *
 * const server = new McpServer(
 *   { name: "example", version: "1.0.0" },
 *   { adapter: undefined, capabilities: { tools: { listChanged: true } } },
 * );
 * await using sessions = new InMemorySessions();
 * const transport = new HttpTransport(server, {
 *   path: "/mcp",
 *   sessionManager: sessions,
 *   subscriptionManager: sessions.subscriptions,
 * });
 * // Deno.serve(handler), Bun.serve({ fetch: handler, idleTimeout: 0 }), …
 * const handler = (request: Request): Promise<Response> =>
 *   sessions.guard(request, (request) => transport.respond(request));
 * console.log((await handler(new Request("http://localhost/"))).status); // 404
 * ```
 *
 * @module
 */

// The contracts, for managers of your own.
export { StreamSessionManager } from "./src/contracts/stream_session_manager.ts";
export { InfoSessionManager } from "./src/contracts/info_session_manager.ts";
export type { SessionData } from "./src/contracts/session_data.ts";
export {
  matchesSubscription,
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  SubscriptionManager,
} from "./src/contracts/subscription_manager.ts";
export type {
  EndTarget,
  ListOptions,
  NotifyTarget,
  Sessions,
  SessionSummary,
  TransportSessions,
} from "./src/contracts/sessions.ts";
export type { GuardOptions, Respond } from "./src/contracts/guarding.ts";
export type {
  SessionsStats,
  StreamStats,
  SubscriptionStats,
} from "./src/contracts/stats.ts";

// One process.
export {
  InMemorySessions,
  type InMemorySessionsOptions,
} from "./src/in_memory/sessions.ts";
export {
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "./src/in_memory/stream_session_manager.ts";
export {
  InMemoryInfoSessionManager,
  type InMemoryInfoSessionManagerOptions,
} from "./src/in_memory/info_session_manager.ts";
export type { StoredInfoSessionManager } from "./src/metadata/stored_info_session_manager.ts";
export {
  InMemorySubscriptionManager,
  type InMemorySubscriptionManagerOptions,
} from "./src/in_memory/subscription_manager.ts";
export type { StreamIntent } from "./src/streams/pending_streams.ts";

// Options.
export type {
  BacklogOptions,
  CloseOptions,
  ErrorReportingOptions,
  EvictionReason,
  InfoOptions,
  ReplayOptions,
  ResetReason,
  SessionEndReason,
  SessionEventOptions,
  SessionsOptions,
  StreamEventOptions,
  StreamOptions,
  SubscriptionOptions,
} from "./src/contracts/options.ts";
export type { HttpOptions } from "./src/contracts/http_options.ts";
export type { RefusalReason } from "./src/contracts/refusal_reason.ts";

// Server-sent events.
export {
  formatSseComment,
  formatSseEvent,
  type SseEvent,
} from "./src/protocol/sse.ts";

// Errors, and the types of the protocol.
export {
  ClosedError,
  ClusterError,
  type ClusterErrorOptions,
  DeliveryError,
  type DeliveryErrorOptions,
  InvalidArgumentError,
  LimitError,
  SessionLimitError,
  SessionNotFoundError,
} from "./src/errors.ts";
export {
  type ClientCapabilities,
  type ClientIcon,
  type ClientInfo,
  type JSONRPCNotification,
  LOGGING_LEVELS,
  type LoggingLevel,
  type SubscriptionFilter,
} from "./src/protocol/mcp_types.ts";
export type {
  CancelledParams,
  ElicitationCompleteParams,
  LoggingMessageParams,
  NotificationParams,
  ParamsOf,
  ProgressParams,
  ResourceUpdatedParams,
  ServerNotification,
  ServerNotifications,
  TaskStatusParams,
} from "./src/protocol/notifications.ts";
