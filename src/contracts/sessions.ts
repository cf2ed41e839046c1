import type { GuardOptions, Respond } from "../contracts/guarding.ts";
import type { ClientInfo } from "../protocol/mcp_types.ts";
import type { InfoSessionManager } from "./info_session_manager.ts";
import type { SessionData } from "./session_data.ts";
import type { CloseOptions } from "./options.ts";
import type { ServerNotification } from "../protocol/notifications.ts";
import type { SessionsStats } from "./stats.ts";
import type { StreamSessionManager } from "./stream_session_manager.ts";
import type { SubscriptionManager } from "./subscription_manager.ts";

/** The three managers of a server as one transport sees them. */
export interface TransportSessions {
  /** Its streams: broadcasts reach only those that it created. */
  readonly streams: StreamSessionManager;
  /** The metadata of all sessions. */
  readonly info: InfoSessionManager;
  /** All subscriptions. */
  readonly subscriptions: SubscriptionManager;
}

/** Who gets a notification: some sessions, or all those of a principal. */
export type NotifyTarget =
  | {
    /** The session IDs. Unknown ones are ignored; `[]` is nobody. */
    readonly sessions: readonly string[];
  }
  | {
    /** The principal that was passed to `guard` when the sessions began. */
    readonly principal: string;
  };

/** Which sessions to end: one, or all those of a principal. */
export type EndTarget =
  | {
    /** The session ID. */
    readonly session: string;
  }
  | {
    /** The principal that was passed to `guard` when the sessions began. */
    readonly principal: string;
  };

/** Options of `Sessions.list`. */
export interface ListOptions {
  /**
   * Only the sessions of this principal.
   *
   * @default undefined all sessions
   */
  readonly principal?: string | undefined;
  /**
   * How many sessions to list.
   *
   * @default Infinity
   */
  readonly limit?: number | undefined;
}

/** What `Sessions.list` returns of a session. */
export interface SessionSummary {
  /** The session ID. */
  readonly id: string;
  /** The principal that was passed to `guard` when it began. */
  readonly principal: string | undefined;
  /** What its client said about itself in `initialize`. */
  readonly clientInfo: ClientInfo | undefined;
  /** The node that has its stream; undefined without one, or in one process. */
  readonly node: string | undefined;
  /** When it began. */
  readonly startedAt: Date;
  /** When it was last used: a request, or a read or write of its metadata. */
  readonly lastUsedAt: Date;
  /** Whether it has a stream. */
  readonly isStreaming: boolean;
  /** How many bytes of its stream are unread, as far as Web Streams can tell. */
  readonly queuedBytes: number;
  /**
   * How many of its requests are being answered with an event stream. In one
   * process, they are only known with `streams.replay`.
   */
  readonly openRequests: number;
}

/**
 * The three managers of a server, and the guard. Pass the object directly to a
 * transport.
 *
 * Every backend has one; `InMemorySessions` keeps everything in this process.
 */
export interface Sessions extends AsyncDisposable {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: StreamSessionManager;
  /**
   * What each client of the session era said about itself, and a value of your
   * own for each session.
   */
  readonly info: InfoSessionManager & SessionData;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: SubscriptionManager;
  /**
   * Passes a request to a transport, and enforces the session rules of MCP
   * 2025-11-25 (Transports, "Session Management"), which tmcp's transports
   * leave to others:
   *
   * - Malformed session IDs get 400, with a JSON-RPC error, and so does a GET
   *   without one that would begin a session.
   * - Unknown, expired, deleted or foreign sessions get 404, with a JSON-RPC
   *   error, on GET, POST and DELETE. A session ID that a client made up is
   *   never adopted: an `initialize` with it begins a session with a new ID.
   * - A new GET stream replaces the old one, instead of getting 409. With
   *   `replay`, it continues after the client's `Last-Event-ID`.
   * - If no session or stream can be added, the answer is 503 with
   *   `Retry-After`.
   *
   * Other requests without a session ID and those of the per-request era pass,
   * except that a JSON body above `http.maxBodyBytes` gets 413. A refusal has
   * the CORS headers with which the transport answers an `OPTIONS` request, and
   * all responses expose the headers that MCP clients need.
   *
   * @param request The request.
   * @param respond The transport. If it returns `null`, because the request is
   * not for it, the answer is an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} If an argument is invalid: the request is no
   * web `Request`, `respond` no function, or the principal no string. As a
   * rejected promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response>;
  /**
   * Returns the managers as one transport sees them. If a server has several
   * transports, pass each its own view: tmcp's server asks every transport to
   * send a notification to everyone, so that with shared managers each client
   * would get it once for each transport.
   *
   * A broadcast (`streams.send(undefined, …)`) through a view reaches the
   * streams, on all nodes, that were created through a view of the same name.
   * Everything else is shared: sessions, metadata, subscriptions, limits,
   * messages to named sessions. A broadcast through {@linkcode streams} itself
   * reaches everyone.
   *
   * @param name The name of the transport, the same on all nodes.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   *
   * @example Two transports of one server
   * ```ts
   * import { InMemorySessions } from "@crossmcp/session-manager";
   * import { HttpTransport } from "@tmcp/transport-http";
   * import { SseTransport } from "@tmcp/transport-sse";
   * import { McpServer } from "tmcp";
   *
   * const server = new McpServer(
   *   { name: "example", version: "1.0.0" },
   *   { adapter: undefined, capabilities: {} },
   * );
   * await using sessions = new InMemorySessions();
   * const http = new HttpTransport(server, {
   *   path: "/mcp",
   *   sessionManager: sessions.forTransport("http"),
   *   subscriptionManager: sessions.subscriptions,
   * });
   * const sse = new SseTransport(server, {
   *   path: "/sse",
   *   sessionManager: sessions.forTransport("sse"),
   * });
   * const handler = (request: Request): Promise<Response> =>
   *   sessions.guard(request, async (request) =>
   *     await http.respond(request) ?? await sse.respond(request));
   * console.log((await handler(new Request("http://localhost/"))).status); // 404
   * ```
   */
  forTransport(name: string): TransportSessions;
  /**
   * Sends a notification to clients, of both eras, from any node: as an SSE
   * event named `message` to the streams of sessions, and to the
   * `subscriptions/listen` streams that listen for it. Each client gets it once.
   * Notifications of one caller arrive in the order of the calls, whether it
   * waits for them or not.
   *
   * Without `to`, every client gets it, through all transports; except that
   * `notifications/resources/updated` is only for sessions that subscribed to
   * the resource (MCP 2025-11-25, Resources, "Subscriptions"). With `to`, it is
   * sent to streams of sessions only: `subscriptions/listen` streams have no
   * session, and nobody knows their principal.
   *
   * A session without a stream gets it when it reconnects, if `streams.replay`
   * keeps it. The levels of `logging/setLevel` are ignored.
   *
   * @param notification The notification. `jsonrpc` is added if it is missing.
   * @param to Who gets it; everyone if omitted.
   * @returns Resolves when the streams of this node have it, it was sent to the
   * other nodes, and the subscriptions of this node have accepted it.
   * @throws {InvalidArgumentError} If the notification or `to` is invalid.
   * Nothing was sent. As a rejected promise.
   * @throws {ClusterError} If the sessions of the principal cannot be looked up.
   * As a rejected promise.
   *
   * @example
   * ```ts
   * import { InMemorySessions } from "@crossmcp/session-manager";
   *
   * await using sessions = new InMemorySessions();
   * await sessions.notify({ method: "notifications/tools/list_changed" });
   * await sessions.notify({
   *   method: "notifications/message",
   *   params: { level: "warning", data: "Your plan expires today." },
   * }, { principal: "alice" });
   * ```
   */
  notify<Method extends string>(
    notification: ServerNotification<Method>,
    to?: NotifyTarget,
  ): Promise<void>;
  /**
   * Ends sessions that began through the guard: "log this user out everywhere".
   * Their next request gets 404 on every node, so that their clients begin new
   * sessions. Their streams are closed, their open requests are aborted, and
   * their metadata is removed. In one process without `streams.replay`, the
   * responses to requests that have started go on.
   *
   * Sessions of a principal that begin meanwhile may stay. Many sessions are
   * ended in slices: other work goes on, and each slice has ended when the next
   * one begins.
   *
   * Over Redis, the promise is rejected with a `ClusterError` if Redis is or
   * becomes unavailable. What this node has ended stays ended: it is removed from
   * Redis when that is back, even if other nodes have restored it or Redis comes
   * back from an older state, as long as a node that knows of it is alive. Call it
   * again for the rest.
   *
   * @param target One session, or all those of a principal.
   * @returns How many were ended. Resolves when every node knows.
   * @throws {InvalidArgumentError} If the target is invalid. Nothing was ended.
   * As a rejected promise.
   * @throws {ClusterError} If not all nodes could be informed. As a rejected
   * promise.
   *
   * @example
   * ```ts
   * import { InMemorySessions } from "@crossmcp/session-manager";
   *
   * await using sessions = new InMemorySessions();
   * console.log(await sessions.end({ principal: "alice" })); // 0
   * ```
   */
  end(target: EndTarget): Promise<number>;
  /**
   * Lists the sessions that began through the guard, on all nodes, in no
   * particular order. Sessions that are there from the beginning to the end of
   * the list are in it exactly once, while others come and go. They are read in
   * pages of 1,000, each when it is needed, and other work goes on between them.
   *
   * What nodes know is missing for those that do not respond in time. Over Redis,
   * `lastUsedAt` may be too old by a tenth of `info.idleTimeoutMs` if the node
   * that has served the session is gone.
   *
   * @param options Which sessions, and how many.
   * @throws {InvalidArgumentError} If an option is invalid.
   * @throws {ClusterError} While iterating, if Redis is unavailable.
   *
   * @example
   * ```ts
   * import { InMemorySessions } from "@crossmcp/session-manager";
   *
   * await using sessions = new InMemorySessions();
   * for await (const { id, clientInfo } of sessions.list({ limit: 100 })) {
   *   console.log(id, clientInfo?.name);
   * }
   * ```
   */
  list(options?: ListOptions): AsyncIterable<SessionSummary>;
  /** Returns the counters. Cheap enough to call every second. */
  stats(): SessionsStats;
  /**
   * Ends every stream and subscription, and removes all metadata. Whatever
   * would create something afterwards is refused with a `ClosedError`. Calling
   * it again changes nothing.
   *
   * @param options Whether to drain.
   */
  close(options?: CloseOptions): Promise<void>;
}
