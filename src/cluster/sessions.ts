import type { SessionsOptions } from "../contracts/options.ts";
import {
  assertSessionsOptions,
  objectOption,
} from "../contracts/resolve_options.ts";
import { ClusterInfoSessionManager } from "./info_session_manager.ts";
import type { MessageBus } from "./messaging/message_bus.ts";
import { ClusterNode } from "./membership/cluster_node.ts";
import { ClusteredSessions } from "./clustered_sessions.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "./membership/options.ts";
import { ClusterStreamSessionManager } from "./stream_session_manager.ts";
import { ClusterSubscriptionManager } from "./subscription_manager.ts";

/** Options of {@linkcode ClusterSessions}: the same on every node, but for its name. */
export interface ClusterSessionsOptions extends SessionsOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
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
 *   the latest after `requestTimeoutMs` [1 s] they resolve without the nodes that have not
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
export class ClusterSessions
  extends ClusteredSessions<ClusterInfoSessionManager> {
  /**
   * Makes a node of a cluster, which joins the others by itself.
   *
   * @param bus What carries its messages; it is this node's alone.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(bus: MessageBus, options?: ClusterSessionsOptions) {
    const given = objectOption("options", options);
    assertSessionsOptions(given);
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
      ready: node.ready,
      disconnect: () => node.close(),
    });
    node.start();
  }
}
