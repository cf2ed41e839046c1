/**
 * Session management for MCP servers over HTTP and SSE: holds the long-lived
 * streams, fans notifications out to the right ones, and remembers what each
 * client said of itself. A drop-in for `@tmcp/session-manager`.
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

// The contracts, to write a manager of your own.
export { StreamSessionManager } from "./src/stream_session_manager.ts";
export { InfoSessionManager } from "./src/info_session_manager.ts";
export {
  matchesSubscription,
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  SubscriptionManager,
} from "./src/subscription_manager.ts";
export type { Sessions } from "./src/sessions.ts";
export type { GuardOptions, Respond } from "./src/guard.ts";
export type { SessionsStats, StreamStats } from "./src/stats.ts";

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
export {
  InMemorySubscriptionManager,
  type InMemorySubscriptionManagerOptions,
} from "./src/in_memory/subscription_manager.ts";
export type { StreamExpectation } from "./src/in_memory/expected_streams.ts";
export type { Registration } from "./src/in_memory/session_records.ts";

// Several workers of one process.
export {
  BroadcastChannelSessions,
  type BroadcastChannelSessionsOptions,
} from "./src/broadcast_channel/sessions.ts";
export {
  BroadcastChannelStreamSessionManager,
  type BroadcastChannelStreamSessionManagerOptions,
} from "./src/broadcast_channel/stream_session_manager.ts";
export {
  BroadcastChannelInfoSessionManager,
  type BroadcastChannelInfoSessionManagerOptions,
} from "./src/broadcast_channel/info_session_manager.ts";
export {
  BroadcastChannelSubscriptionManager,
  type BroadcastChannelSubscriptionManagerOptions,
} from "./src/broadcast_channel/subscription_manager.ts";

// Several nodes, over a message bus of your own.
export type { Flow } from "./src/cluster/flow.ts";
export type { MessageBus } from "./src/cluster/message_bus.ts";
export {
  ClusterSessions,
  type ClusterSessionsOptions,
} from "./src/cluster/sessions.ts";
export type {
  ClusterSessionsStats,
  NodeSessions,
} from "./src/cluster/node_sessions.ts";
export type { ClusterStats, NodeInfo } from "./src/cluster/node.ts";
export type { ClusterOptions } from "./src/cluster/options.ts";
export type {
  ClusterStreamSessionManager,
  ClusterStreamSessionManagerOptions,
} from "./src/cluster/stream_session_manager.ts";
export type {
  ClusterInfoSessionManager,
  ClusterInfoSessionManagerOptions,
} from "./src/cluster/info_session_manager.ts";
export type {
  StoredInfoSessionManager,
} from "./src/cluster/stored_info_session_manager.ts";
export type {
  ClusterSubscriptionManager,
  ClusterSubscriptionManagerOptions,
} from "./src/cluster/subscription_manager.ts";

// Options.
export type {
  BacklogOptions,
  CloseOptions,
  EvictionReason,
  InfoOptions,
  ReaderOptions,
  ReplayOptions,
  ReportingOptions,
  ResetReason,
  SessionsOptions,
  StreamOptions,
  SubscriptionOptions,
} from "./src/options.ts";

// Server-sent events.
export { formatSseComment, formatSseEvent, type SseEvent } from "./src/sse.ts";

// Errors, and the types of the protocol.
export {
  ClosedError,
  ClusterError,
  type ClusterErrorOptions,
  DeliveryError,
  type DeliveryErrorOptions,
  InvalidArgumentError,
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
} from "./src/mcp_types.ts";
