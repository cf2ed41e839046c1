import { ClusterError, InvalidArgumentError } from "@crossmcp/session-manager";
import { PostgresSessions } from "@crossmcp/session-manager/postgres";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { after, before, it } from "node:test";
import type pg from "pg";
import { until } from "../e2e/support/until.ts";
import { TcpProxy } from "../redis/support/tcp_proxy.ts";
import { testOutages } from "../support/broker_outages.ts";
import {
  describePostgres,
  poolOf,
  PostgresServer,
} from "./support/postgres_server.ts";

/** The server is ready for statements. */
const READY = Buffer.from("Z\0\0\0\x05I", "latin1");
/** The first byte of the reply to a new connection. */
const AUTHENTICATION = "R".charCodeAt(0);
/** What the server sends when it ends a connection. */
const FATAL = errorOf("SFATAL", "C57P01", "Mterminating connection");

/** Encodes an error of the server. */
function errorOf(...fields: string[]): Buffer {
  const body = `${fields.join("\0")}\0\0`;
  const head = Buffer.from("E\0\0\0\0", "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, Buffer.from(body, "latin1")]);
}

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

  it("C10 a server that ends connections as soon as they are made ends no process", async () => {
    let refused = 0;
    await using proxy = await TcpProxy.start(server.port, (reply) => {
      const isReady = reply.subarray(-6).equals(READY) &&
        reply[0] === AUTHENTICATION;
      return isReady && refused++ < 3 ? Buffer.concat([reply, FATAL]) : reply;
    });
    const pool = poolOf(proxy.port);
    pools.push(pool);
    const nodes = [
      new PostgresSessions("short", pool),
      new PostgresSessions("short", newPool()),
    ];
    try {
      await until(
        () => nodes.every((node) => node.nodes().length === 2),
        "nodes that know each other",
      );
      assert(refused >= 3, `Only ${refused} connections were made`);
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
