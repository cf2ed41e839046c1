import {
  assertKnownOptions,
  SESSIONS_OPTIONS,
} from "../contracts/known_options.ts";
import type {
  GuardOptions,
  Respond,
  SessionGate,
} from "../contracts/guarding.ts";
import { setHosting } from "../contracts/hosting.ts";
import { guard } from "../http/guard.ts";
import type { CloseOptions, SessionsOptions } from "../contracts/options.ts";
import {
  assertSessionsOptions,
  objectOption,
  resolveCloseOptions,
} from "../contracts/resolve_options.ts";
import type {
  EndTarget,
  ListOptions,
  NotifyTarget,
  Sessions,
  SessionSummary,
  TransportSessions,
} from "../contracts/sessions.ts";
import type { SessionsStats } from "../contracts/stats.ts";
import {
  createOpenRequests,
  createSessionGate,
  createStoredEvents,
} from "../http/guarded_sessions.ts";
import { SharedManagers } from "../http/shared_managers.ts";
import { ManagedHosting } from "../http/hosting.ts";
import { connectCallbacks } from "../operation/session_callbacks.ts";
import { type FindActivity, listSessions } from "../operation/session_list.ts";
import { endSessions } from "../operation/session_ender.ts";
import { sessionStats } from "../operation/session_stats.ts";
import { Notifier } from "../operation/notifier.ts";
import type { ServerNotification } from "../protocol/notifications.ts";
import type { OpenRequests } from "../requests/open_requests.ts";
import type { StoredEvents } from "../requests/stored_events.ts";
import { sharedScheduler } from "../runtime/scheduler.ts";
import { InMemoryInfoSessionManager } from "./info_session_manager.ts";
import {
  InMemoryStreamSessionManager,
  queuedBytesOf,
  requestStreamsOf,
} from "./stream_session_manager.ts";
import {
  InMemorySubscriptionManager,
  listenForNotifications,
} from "./subscription_manager.ts";

/** Options of {@linkcode InMemorySessions}. */
export interface InMemorySessionsOptions extends SessionsOptions {}

/**
 * The sessions of one process: streams, metadata and subscriptions.
 *
 * @example Pass it to a transport, and guard the transport
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { HttpTransport } from "@tmcp/transport-http";
 * import { McpServer } from "tmcp";
 *
 * const server = new McpServer(
 *   { name: "example", version: "1.0.0" },
 *   { adapter: undefined, capabilities: {} },
 * );
 * await using sessions = new InMemorySessions({
 *   streams: { maxSessions: 10_000, replay: { maxAgeMs: 60_000 } },
 *   onError: (error) => console.error(error),
 *   onEvict: (id, reason) => console.warn("too slow", id, reason),
 * });
 * const transport = new HttpTransport(server, {
 *   path: "/mcp",
 *   sessionManager: sessions,
 *   subscriptionManager: sessions.subscriptions,
 * });
 * const handler = (request: Request): Promise<Response> =>
 *   sessions.guard(request, (request) => transport.respond(request));
 * console.log((await handler(new Request("http://localhost/"))).status); // 404
 * ```
 */
export class InMemorySessions implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: InMemoryStreamSessionManager;
  /** What each client of the session era said about itself. */
  readonly info: InMemoryInfoSessionManager;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: InMemorySubscriptionManager;
  readonly #requests: OpenRequests | undefined;
  readonly #events: StoredEvents | undefined;
  readonly #gate: SessionGate;
  readonly #transports: SharedManagers;
  readonly #hosting: ManagedHosting;
  readonly #findActivity: FindActivity = (ids) =>
    Promise.resolve(
      new Map(ids.map((id) => {
        const queuedBytes = queuedBytesOf(this.streams, id);
        return [id, {
          isStreaming: queuedBytes !== undefined,
          queuedBytes: queuedBytes ?? 0,
          openRequests: this.#requests?.openCount(id) ?? 0,
        }];
      })),
    );
  readonly #notifier: Notifier = new Notifier(this);

  /**
   * Creates the three managers.
   *
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: InMemorySessionsOptions) {
    const given = objectOption("options", options);
    assertKnownOptions(given, SESSIONS_OPTIONS);
    assertSessionsOptions(given);
    const { streams, info, subscriptions, onError, onEvict, onReset } = given;
    this.streams = new InMemoryStreamSessionManager({
      ...streams,
      onError,
      onEvict,
      onReset,
    });
    this.info = new InMemoryInfoSessionManager({
      ...info,
      streams: this.streams,
      onError,
    });
    this.subscriptions = new InMemorySubscriptionManager({
      ...subscriptions,
      onError,
    });
    connectCallbacks(this.info, given, (id) => {
      this.streams.delete(id);
      this.#requests?.endSession(id);
    });
    const scheduler = sharedScheduler(this.streams);
    const kept = { streams: requestStreamsOf(this.streams), scheduler };
    this.#requests = createOpenRequests(this, given, kept);
    this.#events = createStoredEvents(given, kept);
    this.#transports = new SharedManagers(given.onError);
    this.#hosting = new ManagedHosting({
      managers: this,
      options: given,
      scheduler,
      requests: this.#requests,
      events: this.#events,
      listen: (listener) =>
        listenForNotifications(this.subscriptions, listener),
    });
    setHosting(this, this.#hosting);
    this.#gate = createSessionGate(
      this,
      given,
      this.#requests,
      this.#transports,
      this.#hosting.bodies,
    );
  }

  /**
   * Passes a request to a transport, and enforces the session rules of MCP
   * 2025-11-25 (Transports, "Session Management"). {@linkcode Sessions}
   * describes them in full.
   *
   * @param request The request.
   * @param respond The transport. If it returns `null`, because the request is
   * not for it, the answer is an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} If an argument is invalid. As a rejected
   * promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response> {
    return guard(this.#gate, request, respond, options);
  }

  /**
   * Returns the managers as one transport sees them, so that a server with
   * several transports sends each broadcast once to each client.
   * {@linkcode Sessions} describes it in full.
   *
   * @param name The name of the transport.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   */
  forTransport(name: string): TransportSessions {
    const streams = this.streams.forTransport(name);
    this.#transports.addView();
    return { streams, info: this.info, subscriptions: this.subscriptions };
  }

  /**
   * Sends a notification to clients, of both eras. {@linkcode Sessions} describes
   * it in full.
   *
   * @param notification The notification. `jsonrpc` is added if it is missing.
   * @param to Who gets it; everyone if omitted.
   * @throws {InvalidArgumentError} If the notification or `to` is invalid. As a
   * rejected promise.
   */
  notify<Method extends string>(
    notification: ServerNotification<Method>,
    to?: NotifyTarget,
  ): Promise<void> {
    return this.#notifier.notify(notification, to);
  }

  /**
   * Ends sessions, on all nodes: their next request gets 404. Returns how many.
   * {@linkcode Sessions} describes it in full.
   *
   * @param target One session, or all those of a principal.
   * @throws {InvalidArgumentError} If the target is invalid. As a rejected
   * promise.
   */
  end(target: EndTarget): Promise<number> {
    return endSessions(this.info, target);
  }

  /**
   * Lists the sessions that began through the guard, on all nodes.
   * {@linkcode Sessions} describes it in full.
   *
   * @param options Which sessions, and how many.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  list(options?: ListOptions): AsyncIterable<SessionSummary> {
    return listSessions(this.info, this.#findActivity, options);
  }

  /** Returns the counters. Visits every stream. */
  stats(): SessionsStats {
    const { streams, info, subscriptions } = this;
    const openRequests = this.#requests?.size ?? 0;
    return sessionStats({ streams, info, subscriptions, openRequests });
  }

  /**
   * Ends every stream and subscription, and removes all metadata. Subscriptions
   * get what was sent before, within `subscriptions.closeTimeoutMs`. Calling it
   * again changes nothing, or finishes a drain.
   *
   * @param options Whether to drain. Requests other than GET are answered until
   * it is over.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    resolveCloseOptions(options);
    await Promise.all([
      this.streams.close(options),
      this.subscriptions[Symbol.asyncDispose](),
    ]);
    this.#requests?.close();
    this.#events?.close();
    await this.#hosting.close();
    await this.info.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
