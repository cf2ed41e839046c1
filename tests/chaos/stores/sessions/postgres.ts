import { PostgresSessions } from "@crossmcp/session-manager/postgres";
import { poolOf } from "../../../postgres/support/postgres_server.ts";
import type { MakeSessions } from "../store.ts";

/** Connects a node to a PostgreSQL server. */
export const makePostgresSessions: MakeSessions = ([port], _, options) => {
  const pool = poolOf(port!);
  return Promise.resolve({
    sessions: new PostgresSessions("chaos", pool, options),
    disconnect: () => pool.end(),
  });
};
