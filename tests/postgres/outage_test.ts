import { ClusterError, InvalidArgumentError } from "@crossmcp/session-manager";
import { PostgresSessions } from "@crossmcp/session-manager/postgres";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { after, before, it } from "node:test";
import type pg from "pg";
import { until } from "../e2e/support/until.ts";
import { testOutages } from "../support/broker_outages.ts";
import {
  describePostgres,
  poolOf,
  PostgresServer,
} from "./support/postgres_server.ts";

describePostgres("PostgresSessions: outages", () => {
  let server: PostgresServer;
  const pools: pg.Pool[] = [];
  const newPool = () => {
    const pool = poolOf(server.port);
    pools.push(pool);
    return pool;
  };
  before(async () => {
    server = await PostgresServer.start();
  });
  after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server?.remove();
  });

  testOutages({
    server: () => server,
    create: (name, options) =>
      Promise.resolve(new PostgresSessions(name, newPool(), options)),
  });

  it("C10 a connection that the server ends is replaced", async () => {
    const pools = [newPool(), newPool()];
    const nodes = pools.map((pool) => new PostgresSessions("ended", pool));
    try {
      await until(
        () => nodes.every((node) => node.nodes().length === 2),
        "nodes that know each other",
      );
      await pools[0]!.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
          "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
      );
      await nodes[0]!.info.setLogLevel("s", "alert");
      await until(
        async () =>
          await nodes[1]!.info.getLogLevel("s").catch(() => "") === "alert",
        "what was written",
      );
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
    }
  });

  it("C10 a server that is down at the start is reported, and found later", async () => {
    await server.kill();
    const errors: Error[] = [];
    const nodes = [0, 1].map(() =>
      new PostgresSessions("late", newPool(), {
        onError: (error) => void errors.push(error),
      })
    );
    try {
      await until(() => errors.length === 2, "a report of each node");
      for (const error of errors) assert(error instanceof ClusterError);
      await server.start();
      await until(
        () => nodes.every((node) => node.nodes().length === 2),
        "nodes that know each other",
      );
      assertEquals(errors.length, 2);
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
    }
  });

  it("C16 gives its client back, and leaves nothing in it", async () => {
    const pool = newPool();
    for (let count = 0; count < 3; count++) {
      const node = new PostgresSessions("shared", pool);
      await node.ready;
      await node.close();
    }
    assertEquals(pool.idleCount, pool.totalCount);
    const client = await pool.connect();
    try {
      const { rows } = await client.query("SELECT pg_listening_channels()");
      assertEquals(rows, []);
      assertEquals(client.listenerCount("notification"), 0);
    } finally {
      client.release();
    }
  });

  it("refuses what is no pool by its name", () => {
    for (const pool of [undefined, null, "postgres://localhost", {}]) {
      const { argument } = assertThrows(
        () => new PostgresSessions("name", pool as never),
        InvalidArgumentError,
      );
      assertEquals(argument, "pool");
    }
  });
});
