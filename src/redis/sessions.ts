import { ClusteredSessions } from "../cluster/clustered_sessions.ts";
import { SharedInfoSessionManager } from "../cluster/metadata/shared_info_session_manager.ts";
import { ClusterStreamSessionManager } from "../cluster/stream_session_manager.ts";
import { ClusterSubscriptionManager } from "../cluster/subscription_manager.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  assertSessionsOptions,
  objectOption,
  resolveInfoOptions,
} from "../contracts/resolve_options.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClients } from "./connection/clients.ts";
import { RedisMetadataStore } from "./metadata/metadata_store.ts";
import { createStores, ttlOf } from "./stores.ts";

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
export class RedisSessions extends ClusteredSessions {
  /**
   * Resolves when the other nodes were found, at the latest after `requestTimeoutMs`. Rejects
   * when the clients or their server cannot be used, and says what to do: with an
   * `InvalidArgumentError` for clients that are missing, closed or in subscriber mode
   * and for a prefix that is none, with a `ClusterError` for a server that is too old
   * or refuses. `onError` is told as well; streams of this node work all the same.
   */
  declare readonly ready: Promise<void>;

  /**
   * Makes a node, which joins the others of its prefix by itself. `close` leaves what
   * is in Redis until it expires, and the clients open.
   *
   * @param clients Two connected clients, which stay the user's: this does not close
   * them.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range, other than the
   * prefix.
   */
  constructor(clients: RedisClients, options?: RedisSessionsOptions) {
    const given = objectOption("options", options);
    assertSessionsOptions(given);
    const { subscriptions, onError, onEvict, onReset } = given;
    const { idleTimeoutMs, maxSessions } = resolveInfoOptions(
      given.info,
      "info",
    );
    const ttlMs = ttlOf(idleTimeoutMs);
    const backend = new RedisNode(clients, "sessions", given);
    const { node, ready } = backend;
    const { stores, log } = createStores(backend, ttlMs);
    const streams = new ClusterStreamSessionManager(node, {
      ...given.streams,
      onError,
      onEvict,
      onReset,
    }, stores);
    const events = log();
    const store = new RedisMetadataStore(backend, {
      ttlMs,
      maxSessions,
      flushed: events && (() => events.flushed()),
    });
    super({
      node,
      streams,
      info: new SharedInfoSessionManager(store, onError),
      subscriptions: new ClusterSubscriptionManager(node, {
        ...subscriptions,
        onError,
      }),
      ready,
      disconnect: () => backend.close(),
    });
    backend.start();
  }
}
