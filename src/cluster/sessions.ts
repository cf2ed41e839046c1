import {
  assertKnownOptions,
  CLUSTER_OPTIONS,
  SESSIONS_OPTIONS,
} from "../contracts/known_options.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  assertSessionsOptions,
  objectOption,
} from "../contracts/resolve_options.ts";
import { ClusterInfoSessionManager } from "./info_session_manager.ts";
import { assertMessageBus, type MessageBus } from "./messaging/message_bus.ts";
import { ClusterNode } from "./membership/cluster_node.ts";
import { ClusteredSessions } from "./clustered_sessions.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "./membership/options.ts";
import { ClusterStreamSessionManager } from "./stream_session_manager.ts";
import { ClusterSubscriptionManager } from "./subscription_manager.ts";

/**
 * Options of {@linkcode ClusterSessions}, the same on every node except for its
 * name.
 */
export interface ClusterSessionsOptions extends SessionsOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/**
 * The sessions of several nodes that act as one, over any
 * {@linkcode MessageBus}. A stream is on the node that its client is connected
 * to, and every node can send to it.
 *
 * Guarantees:
 *
 * - A frame reaches each of its sessions once, and those of one sender arrive
 *   in order. If the bus drops, duplicates or delays messages, the nodes
 *   correct that: a gap is noticed with the next message, and the loss of the
 *   last one within 100 ms.
 * - When `create`, `delete` or a setter has resolved, every node knows. With
 *   more than nine nodes, eight of them know, and the others ask them about
 *   sessions that they don't know; a new value of a known session reaches them
 *   as fast as the bus. The calls wait at most `requestTimeoutMs` [1 s] for
 *   nodes that don't respond.
 * - If several streams are created for a session at once, all nodes agree on
 *   the one that stays.
 * - Metadata is the same everywhere and outlives its node. Of two concurrent
 *   writes to a field, one wins on all nodes. A deletion wins over earlier
 *   writes that arrive up to 60 s late.
 * - With `replay`, a client that reconnects to another node gets what it
 *   missed, for `replay.maxAgeMs` [5 min] after its stream ended, as long as
 *   the node it left is alive or drains.
 * - A node that missed three heartbeats [3 s] is considered dead, and a second
 *   later its streams are unknown everywhere. A node that closes announces it,
 *   and is removed at once.
 * - A node that was only unreachable is known again as soon as it sends
 *   something. It gets what was sent meanwhile, up to thirty heartbeats [30 s]
 *   later and up to 64 million characters.
 *
 * Not guaranteed:
 *
 * - Frames that are sent to a session while it moves between nodes may arrive
 *   in a different order.
 * - What a client missed on a node that died is lost. The client gets a
 *   `reset`.
 * - What is sent while a node is unreachable for longer than the above may be
 *   lost to it. It reports that to `onError` (a `ClusterError`) and counts it
 *   (`stats().cluster.lost`).
 * - Before a node is {@linkcode ClusterSessions.ready}, not every node knows
 *   it.
 *
 * Session IDs, metadata and frames are not encrypted on the bus: anyone who can
 * write to it has full control of the cluster.
 */
export class ClusterSessions
  extends ClusteredSessions<ClusterInfoSessionManager> {
  /**
   * Creates a node, which joins the cluster.
   *
   * @param bus Carries the messages of this node only.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If the bus or an option is invalid.
   */
  constructor(bus: MessageBus, options?: ClusterSessionsOptions) {
    const given = objectOption("options", options);
    assertKnownOptions(given, { ...SESSIONS_OPTIONS, ...CLUSTER_OPTIONS });
    assertSessionsOptions(given);
    assertMessageBus(bus);
    const { subscriptions, cluster, onError, onEvict, onReset } = given;
    const node = new ClusterNode(bus, resolveClusterOptions(cluster), onError);
    const streams: ClusterStreamSessionManager =
      new ClusterStreamSessionManager(node, {
        ...given.streams,
        onError,
        onEvict,
        onReset,
        startEventId: (id) => info.startEventId(id),
      });
    const info = new ClusterInfoSessionManager(node, {
      ...given.info,
      streams,
      onError,
    });
    super({
      node,
      streams,
      info,
      subscriptions: new ClusterSubscriptionManager(node, {
        ...subscriptions,
        onError,
      }),
      options: given,
      ready: node.ready,
      disconnect: () => node.close(),
    });
    node.start();
  }
}
