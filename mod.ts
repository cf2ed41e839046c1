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
 * const handler = async (request: Request): Promise<Response> =>
 *   await transport.respond(request) ?? new Response(null, { status: 404 });
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
export type {
  ReportingOptions,
  SessionsOptions,
  StreamOptions,
  SubscriptionOptions,
} from "./src/options.ts";

// Errors, and the types of the protocol.
export {
  ClosedError,
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
