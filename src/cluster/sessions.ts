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
} from "../resolve_options.ts";
import type { Sessions } from "../sessions.ts";
import type { SessionsStats } from "../stats.ts";
import { ClusterInfoSessionManager } from "./info_session_manager.ts";
import type { MessageBus } from "./message_bus.ts";
import { ClusterNode, type ClusterStats, type NodeInfo } from "./node.ts";
import { type ClusterOptions, resolveClusterOptions } from "./options.ts";
import { ClusterStreamSessionManager } from "./stream_session_manager.ts";
import { ClusterSubscriptionManager } from "./subscription_manager.ts";

/** Options of {@linkcode ClusterSessions}: the same on every node, but for its name. */
export interface ClusterSessionsOptions extends SessionsOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/** What one node of several counts. */
export interface ClusterSessionsStats extends SessionsStats {
  /** What it counts of the others. */
  readonly cluster: ClusterStats;
}

/**
 * Sessions of several nodes that act as one, over any {@linkcode MessageBus}: a
 * stream is on the node that its client is connected to, and every node reaches it.
 *
 * What is guaranteed:
 *
 * - A text reaches each of its sessions once, those of one sender in the order in
 *   which they were sent. What the bus loses, doubles or delays is made up for: a gap
 *   shows with the next message, the loss of the last one after 100 ms at most.
 * - What `create`, `delete` and the setters have resolved for, every node knows; at
 *   the latest after `answerMs` [1 s] they resolve without the nodes that have not
 *   answered.
 * - Of streams that are created for one session at the same time, one stays.
 * - Metadata is the same everywhere and outlives its node. Of two writes to a field
 *   at the same time one wins, everywhere the same. A deletion wins over what was
 *   written before it and comes up to 60 s late.
 * - With `replay`, a client that comes back to another node gets what it missed, for
 *   `replay.maxAgeMs` [5 min] after its stream ended, as long as the node that it
 *   left lives, or drains.
 * - A node that was not heard of for three beats [3 s] is taken for dead: a second
 *   later nobody knows its streams any more. One that closes is gone at once.
 * - A node that was only silent is known again as soon as it is heard. What was sent
 *   meanwhile it gets, up to thirty beats [30 s] later, and as long as that is less
 *   than 64 million characters.
 *
 * And what is not:
 *
 * - What is sent to a session at the moment when it moves from node to node may come
 *   in another order.
 * - What a client missed on a node that died is lost, and the client is told so
 *   (`event: reset`).
 * - What is sent while a node is silent for longer than the above may be lost to it,
 *   which it tells `onError` (a `ClusterError`) and counts (`stats().cluster.lost`).
 * - Before a node is {@linkcode ClusterSessions.ready}, not everyone knows it.
 *
 * Names of sessions, metadata and texts pass over the bus as they are: whoever can
 * write to it can do everything.
 */
export class ClusterSessions implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: ClusterStreamSessionManager;
  /** What each client of the session era said of itself. */
  readonly info: ClusterInfoSessionManager;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: ClusterSubscriptionManager;
  /**
   * Resolves when the other nodes were found and what they have is known here. What
   * is done before works, but may not reach all of them.
   */
  readonly ready: Promise<void>;
  readonly #node: ClusterNode;
  readonly #guarded: GuardedSessions;

  /**
   * Makes a node of a cluster, which joins the others by itself.
   *
   * @param bus What carries its messages; it is this node's alone.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(bus: MessageBus, options?: ClusterSessionsOptions) {
    const given = optionGroup("options", options);
    assertSessionsOptions(given);
    const { streams, info, subscriptions, cluster, ...reporting } = given;
    const { onError } = reporting;
    this.#node = new ClusterNode(bus, resolveClusterOptions(cluster), onError);
    this.streams = new ClusterStreamSessionManager(this.#node, {
      ...streams,
      ...reporting,
      since: (id) => this.info.since(id),
    });
    this.info = new ClusterInfoSessionManager(this.#node, {
      ...info,
      streams: this.streams,
      onError,
    });
    this.subscriptions = new ClusterSubscriptionManager(this.#node, {
      ...subscriptions,
      onError,
    });
    this.#guarded = guarded(this);
    this.ready = this.#node.ready;
    this.#node.start();
  }

  /** The nodes that live, this one first, as far as this one knows. */
  nodes(): NodeInfo[] {
    return this.#node.nodes();
  }

  /**
   * Answers a request with a transport, and holds it to the rules for sessions of
   * MCP 2025-11-25 (Transports, "Session Management"): 400, 404, the newest stream
   * wins, resume, 503. {@linkcode Sessions} has them in full. A session that was
   * begun on one node is every node's.
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
      cluster: this.#node.stats(),
    };
  }

  /**
   * Ends every stream and subscription of this node, and leaves the others, which go
   * on. Calling it again changes nothing, or ends what a drain has left.
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
    await this.#node.close();
    await this.info.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
