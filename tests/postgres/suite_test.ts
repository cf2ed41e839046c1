import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  PostgresBus,
  PostgresSessions,
  type PostgresSessionsOptions,
} from "@crossmcp/session-manager/postgres";
import { testCluster, testSessions } from "@crossmcp/session-manager/testing";
import { after, before, it } from "node:test";
import type pg from "pg";
import {
  describePostgres,
  poolOf,
  PostgresServer,
} from "./support/postgres_server.ts";

describePostgres("PostgresSessions: contract suites", () => {
  let server: PostgresServer;
  /** Shared by all nodes. */
  let pool: pg.Pool;
  /** The buses of nodes that can be killed. */
  const buses = new Map<unknown, PostgresBus>();

  before(async () => {
    server = await PostgresServer.start();
    pool = poolOf(server.port, 60);
  });
  after(async () => {
    await pool?.end();
    await server?.remove();
  });

  testCluster({
    test: it,
    createBus: (name) => new PostgresBus(name, pool),
    createNode: (name, options) => {
      const bus = new PostgresBus(name, pool);
      const node = new ClusterSessions(bus, options);
      buses.set(node, bus);
      return node;
    },
    kill: (node) => buses.get(node)!.close(),
  });

  const names = new Map<unknown, string>();
  const create = async (name: string, options: PostgresSessionsOptions) => {
    const node = new PostgresSessions(name, pool, options);
    names.set(node, name);
    await node.ready;
    return node;
  };
  testSessions({
    test: it,
    create: (options) => create(crypto.randomUUID(), options),
    createNode: (beside, options) => create(names.get(beside)!, options),
  });
});
