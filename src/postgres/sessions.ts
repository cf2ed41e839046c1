import {
  ClusterSessions,
  type ClusterSessionsOptions,
} from "../cluster/sessions.ts";
import type { PostgresPool } from "./pool.ts";
import { PostgresBus } from "./postgres_bus.ts";

/** Options of {@linkcode PostgresSessions}. */
export interface PostgresSessionsOptions extends ClusterSessionsOptions {}

/**
 * The sessions of processes that share a PostgreSQL database, on any number of
 * machines and runtimes. Messages are sent with `NOTIFY`. The guarantees are
 * those of {@linkcode ClusterSessions}: nothing is stored in the database.
 *
 * While the database is unavailable, each node serves its own streams. What
 * nodes missed of each other is sent again afterwards, for up to thirty
 * heartbeats [30 s]. With `replay`, a client that reconnects to another node
 * gets what it missed from the node it left; if that node died, the client gets
 * a `reset`.
 *
 * @example Two processes, each with a pool
 * ```ts no-eval
 * import { PostgresSessions } from "@crossmcp/session-manager/postgres";
 * import pg from "pg";
 *
 * const pool = new pg.Pool({ connectionString: "postgres://localhost/app" });
 * pool.on("error", (error: Error) => console.error(error));
 * const sessions = new PostgresSessions("my-server", pool, {
 *   onError: (error) => console.error(error),
 * });
 * await sessions.ready;
 * ```
 */
export class PostgresSessions extends ClusterSessions {
  /**
   * Creates a node, which joins the other nodes of the same name. It keeps one
   * client of the pool until `close`, which leaves the pool open.
   *
   * @param name The name of the cluster, the same in every process: 1 to 256
   * characters.
   * @param pool A pool of `pg`, directly connected to the server: `LISTEN` does
   * not work through a pooler that shares connections between transactions.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If the name, the pool or an option is invalid.
   */
  constructor(
    name: string,
    pool: PostgresPool,
    options?: PostgresSessionsOptions,
  ) {
    super(new PostgresBus(name, pool), options);
  }
}
