import type { ClusterSessionsStats } from "../cluster/sessions.ts";
import type { NodeInfo } from "../cluster/node.ts";
import { StoredInfoSessionManager } from "../cluster/stored_info_session_manager.ts";
import { ClusterStreamSessionManager } from "../cluster/stream_session_manager.ts";
import { ClusterSubscriptionManager } from "../cluster/subscription_manager.ts";
import {
  guard,
  type GuardedSessions,
  type GuardOptions,
  type Respond,
} from "../guard.ts";
import { guarded } from "../in_memory/guarded.ts";
import type { CloseOptions, SessionsOptions } from "../options.ts";
import {
  assertSessionsOptions,
  optionGroup,
  resolveCloseOptions,
  resolveInfoOptions,
} from "../resolve_options.ts";
import type { Sessions } from "../sessions.ts";
import { Backend, type RedisOptions } from "./backend.ts";
import type { RedisClients } from "./clients.ts";
import { RedisInfoStore } from "./info_store.ts";
import { storesOf, ttlOf } from "./stores.ts";

/** Options of {@linkcode RedisSessions}: the same on every node, but for its name. */
export interface RedisSessionsOptions extends SessionsOptions, RedisOptions {}

/**
 * Sessions of the processes that share a Redis server, on any number of machines: a
 * stream is on the node that its client is connected to, and every node reaches it.
 *
 * It guarantees what `ClusterSessions` does, and with `replay` more: events are kept in
 * Redis, in one order and with the same ids on all nodes, so that a client which comes
 * back to any node gets what it missed, once and in order, also when the node that it
 * left was killed. Where each session is and its metadata are in Redis.
 *
 * While Redis is out of reach, each node serves its own streams, and answers from what
 * it has seen. What was written and sent meanwhile is made up for when it is back; what
 * Redis has lost, the nodes tell it again, but for past events. One error is reported
 * for each outage.
 *
 * With `replay`, what a node sends passes through Redis before its own streams get it;
 * that takes the time of a command. A client that resumes at an event from before or
 * during an outage may get once more what its node sent meanwhile, or a `reset`.
 *
 * @example Two processes, each with two clients of node-redis
 * ```ts no-eval
 * import { RedisSessions } from "@crossmcp/session-manager/redis";
 * import { createClient } from "redis";
 *
 * const publisher = createClient({ url: "redis://localhost:6379" });
 * const subscriber = publisher.duplicate();
 * await Promise.all([publisher.connect(), subscriber.connect()]);
 *
 * const sessions = new RedisSessions({ publisher, subscriber }, {
 *   prefix: "my-server",
 *   streams: { replay: {} },
 *   onError: console.error,
 * });
 * await sessions.ready;
 * ```
 */
export class RedisSessions implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: ClusterStreamSessionManager;
  /** What each client of the session era said of itself. */
  readonly info: StoredInfoSessionManager;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: ClusterSubscriptionManager;
  /**
   * Resolves when the other nodes were found, at the latest after `answerMs`. Rejects
   * when the clients or their server cannot be used, and says what to do: with an
   * `InvalidArgumentError` for clients that are missing, closed or in subscriber mode
   * and for a prefix that is none, with a `ClusterError` for a server that is too old
   * or refuses. `onError` is told as well; streams of this node work all the same.
   */
  readonly ready: Promise<void>;
  readonly #backend: Backend;
  readonly #guarded: GuardedSessions;

  /**
   * Makes a node, which joins the others of its prefix by itself.
   *
   * @param clients Two connected clients, which stay the user's: this does not close
   * them.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range, other than the
   * prefix.
   */
  constructor(clients: RedisClients, options?: RedisSessionsOptions) {
    const given = optionGroup("options", options);
    assertSessionsOptions(given);
    const { streams, info, subscriptions, onError, onEvict, onReset } = given;
    const { idleMs, maxSessions } = resolveInfoOptions(info, "info");
    const ttlMs = ttlOf(idleMs);
    this.#backend = new Backend(clients, "sessions", given);
    const { stores, log } = storesOf(this.#backend, ttlMs);
    const { node } = this.#backend;
    this.streams = new ClusterStreamSessionManager(node, {
      ...streams,
      onError,
      onEvict,
      onReset,
    }, stores);
    const events = log();
    const store = new RedisInfoStore(this.#backend, {
      ttlMs,
      maxSessions,
      flushed: events && (() => events.flushed()),
    });
    this.info = new StoredInfoSessionManager(store, onError);
    this.subscriptions = new ClusterSubscriptionManager(node, {
      ...subscriptions,
      onError,
    });
    this.#guarded = guarded(this);
    this.ready = this.#backend.ready;
    this.#backend.start();
  }

  /** The nodes that live, this one first, as far as this one knows. */
  nodes(): NodeInfo[] {
    return this.#backend.node.nodes();
  }

  /**
   * Answers a request with a transport, and holds it to the rules for sessions of
   * MCP 2025-11-25 (Transports, "Session Management"): 400, 404, the newest stream
   * wins, resume, 503. `Sessions` has them in full. A session that was begun on one
   * node is every node's; while Redis is out of reach, one that this node has not
   * seen is answered with 503.
   *
   * @param request The request.
   * @param respond The transport. `null` for a request that is not its own becomes
   * an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} For a principal that is no string; as a rejected
   * promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response> {
    return guard(this.#guarded, request, respond, options);
  }

  /** What this node has counted so far. It costs a look at each of its streams. */
  stats(): ClusterSessionsStats {
    return {
      ...this.streams.stats(),
      expired: this.info.expired,
      cluster: this.#backend.node.stats(),
    };
  }

  /**
   * Ends every stream and subscription of this node, and leaves the others, which go
   * on. Calling it again changes nothing, or ends what a drain has left. What is in
   * Redis stays until it expires; the clients stay open.
   *
   * @param options Whether to take time for it. Meanwhile clients that come back to
   * other nodes get what they missed.
   * @throws {InvalidArgumentError} For an option that is out of range; as a
   * rejected promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    resolveCloseOptions(options);
    await Promise.all([
      this.streams.close(options),
      this.subscriptions.dispose(),
    ]);
    await this.#backend.close();
    await this.info.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
