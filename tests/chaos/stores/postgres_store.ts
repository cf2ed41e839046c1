import {
  poolOf,
  PostgresServer,
} from "../../postgres/support/postgres_server.ts";
import type { FaultName } from "../faults.ts";
import { failServer } from "./fail_server.ts";
import { openProxy } from "./open_proxy.ts";
import type { Access, Store } from "./store.ts";

const TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
  "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";

/** A PostgreSQL server, with a proxy in front of it for each node. */
export class PostgresStore implements Store {
  readonly name = "postgres";
  readonly faults: readonly FaultName[] = [
    "kill",
    "pause",
    "terminate",
    "cut",
    "silence",
    "delay",
    "block",
  ];
  readonly keepsEvents = false;
  readonly #server: PostgresServer;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** Starts a server. */
  static async start(): Promise<PostgresStore> {
    return new PostgresStore(await PostgresServer.start());
  }

  access(): Promise<Access> {
    return openProxy(this.#server.port);
  }

  async fail(fault: FaultName): Promise<() => Promise<void>> {
    if (fault !== "terminate") return await failServer(this.#server, fault);
    const pool = poolOf(this.#server.port);
    await pool.query(TERMINATE);
    await pool.end();
    return async () => {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.remove();
  }
}
