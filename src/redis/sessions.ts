import {
  assertKnownOptions,
  SESSIONS_OPTIONS,
} from "../contracts/known_options.ts";
import { REDIS_OPTIONS } from "./redis_node.ts";
import { ClusteredSessions } from "../cluster/clustered_sessions.ts";
import { StoredInfoSessionManager } from "../metadata/stored_info_session_manager.ts";
import { ClusterStreamSessionManager } from "../cluster/stream_session_manager.ts";
import { ClusterSubscriptionManager } from "../cluster/subscription_manager.ts";
import type { CloseOptions, SessionsOptions } from "../contracts/options.ts";
import {
  assertSessionsOptions,
  objectOption,
  resolveCloseOptions,
  resolveInfoOptions,
} from "../contracts/resolve_options.ts";
import { CallInbox } from "./calls/call_inbox.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClient, RedisClients } from "./clients/client_types.ts";
import { RedisMetadataStore } from "./metadata/metadata_store.ts";
import { createStores, ttlOf } from "./stores.ts";

/**
 * Options of {@linkcode RedisSessions}, the same on every node except for its
 * name.
 */
export interface RedisSessionsOptions extends SessionsOptions, RedisOptions {}

/**
 * The sessions of processes that share a Redis server, on any number of
 * machines. A stream is on the node that its client is connected to, and every
 * node can send to it.
 *
 * The guarantees are those of `ClusterSessions`. With `replay`, events are also
 * kept in Redis, in one order and with the same IDs on all nodes: a client that
 * reconnects to any node gets what it missed, once and in order, even if the
 * node it left was killed. Redis also stores the owner and the metadata of each
 * session.
 *
 * While Redis is unavailable, each node serves its own streams, and answers
 * from what it has seen. Everything that was written and sent meanwhile follows
 * when Redis is back. The nodes restore what it has lost, except past events.
 * Each outage is reported once.
 *
 * With `replay`, a frame passes through Redis before it is written to any
 * stream, which takes the time of one command. A client that resumes after an
 * event from before or during an outage may get events of the outage twice, or
 * a `reset`.
 *
 * @example The same in every process
 * ```ts no-eval
 * import { RedisSessions } from "@crossmcp/session-manager/redis";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * await client.connect();
 *
 * const sessions = new RedisSessions(client, {
 *   prefix: "my-server",
 *   streams: { replay: {} },
 *   onError: console.error,
 * });
 * await sessions.ready;
 * ```
 */
export class RedisSessions extends ClusteredSessions {
  /**
   * Resolves when the other nodes were found, within `requestTimeoutMs`.
   * Rejects if the server cannot be used; the error says what to do. It is a
   * `ClusterError` if the server is too old, refuses a command, or has data of
   * another format, and an `InvalidArgumentError` if the client that sends
   * commands is in subscriber mode. It is also reported to `onError`. Streams of
   * this node work anyway.
   */
  declare readonly ready: Promise<void>;
  readonly #calls: CallInbox;

  /**
   * Creates a node, which joins the other nodes with the same prefix. `close`
   * leaves the data in Redis until it expires.
   *
   * @param client A connected client, or two: this does not close them. From
   * one client, a second connection is opened, and closed by `close`.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If a client or an option is invalid.
   */
  constructor(
    client: RedisClient | RedisClients,
    options?: RedisSessionsOptions,
  ) {
    const given = objectOption("options", options);
    assertKnownOptions(given, { ...SESSIONS_OPTIONS, ...REDIS_OPTIONS });
    assertSessionsOptions(given);
    const { subscriptions, onError, onEvict, onReset } = given;
    const limits = resolveInfoOptions(given.info, "info");
    const ttlMs = ttlOf(limits.idleTimeoutMs);
    const redisNode = new RedisNode(client, "sessions", given);
    const { node, ready } = redisNode;
    const made = createStores(redisNode, ttlMs);
    const { stores, log, archive, isAttached } = made;
    const streams = new ClusterStreamSessionManager(node, {
      ...given.streams,
      onError,
      onEvict,
      onReset,
    }, stores);
    const events = log();
    const flushed = events && (() => events.flushed());
    const store = new RedisMetadataStore(redisNode, {
      ...limits,
      ttlMs,
      flushed,
      isAttached,
    });
    super({
      node,
      streams,
      info: new StoredInfoSessionManager(store, limits, onError),
      subscriptions: new ClusterSubscriptionManager(node, {
        ...subscriptions,
        onError,
      }),
      archive: archive(),
      events: made.events(),
      options: given,
      ready,
      disconnect: () => redisNode.close(),
      outages: () => redisNode.connection.outages,
    });
    this.#calls = new CallInbox(redisNode, this, flushed);
    redisNode.start();
  }

  /**
   * Ends every stream and subscription of this node, and leaves the cluster.
   * The other nodes continue, and take the calls of notifiers. Calling it again
   * changes nothing, or finishes a drain.
   *
   * @param options Whether to drain. Meanwhile, clients that reconnect to other
   * nodes get what they missed.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  override async close(options?: CloseOptions): Promise<void> {
    resolveCloseOptions(options);
    // What was taken must be sent before the streams are closed.
    await this.#calls.close();
    await super.close(options);
  }
}
