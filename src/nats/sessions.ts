import {
  ClusterSessions,
  type ClusterSessionsOptions,
} from "../cluster/sessions.ts";
import type { NatsConnection } from "./connection.ts";
import { NatsBus } from "./nats_bus.ts";

/** Options of {@linkcode NatsSessions}. */
export interface NatsSessionsOptions extends ClusterSessionsOptions {}

/**
 * The sessions of processes that share a NATS server or cluster, on any number
 * of machines and runtimes. The guarantees are those of
 * {@linkcode ClusterSessions}: nothing is stored in NATS, and JetStream is not
 * needed.
 *
 * While the client is disconnected, each node serves its own streams. What nodes
 * missed of each other is sent again afterwards, for up to thirty heartbeats
 * [30 s]. With `replay`, a client that reconnects to another node gets what it
 * missed from the node it left; if that node died, the client gets a `reset`.
 *
 * @example Two processes, each with a connection
 * ```ts no-eval
 * import { NatsSessions } from "@crossmcp/session-manager/nats";
 * import { connect } from "@nats-io/transport-node";
 *
 * const connection = await connect({
 *   servers: "localhost:4222",
 *   maxReconnectAttempts: -1,
 * });
 * const sessions = new NatsSessions("my-server", connection, {
 *   onError: (error) => console.error(error),
 * });
 * await sessions.ready;
 * ```
 */
export class NatsSessions extends ClusterSessions {
  /**
   * Creates a node, which joins the other nodes of the same name. `close` leaves
   * the connection open.
   *
   * @param name The name of the cluster, the same in every process: 1 to 256
   * characters.
   * @param connection A connected client. It must reconnect by itself without a
   * limit (`maxReconnectAttempts: -1`).
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If the name, the connection or an option is
   * invalid.
   */
  constructor(
    name: string,
    connection: NatsConnection,
    options?: NatsSessionsOptions,
  ) {
    super(new NatsBus(name, connection), options);
  }
}
