import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { MovingClient } from "./support/moving_client.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 200, requestTimeoutMs: 500 },
};

/** Two nodes, each with a connection that can be cut. */
interface Nodes {
  readonly a: RedisSessions;
  readonly b: RedisSessions;
  readonly toA: TcpProxy;
  readonly toB: TcpProxy;
}

describeRedis("RedisSessions: Redis comes back from an older state", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start(["--repl-diskless-sync-delay", "0"]);
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  /**
   * Sends m2 when a copy of Redis has only m1, replaces Redis by that copy, and
   * sends m3. Returns what the client received, who came back after m1.
   */
  async function receivedAround(
    prefix: string,
    { a, b, toA, toB }: Nodes,
    { sender, isBroadcast, hasReplica }: {
      readonly sender: "a" | "b";
      readonly isBroadcast: boolean;
      readonly hasReplica: boolean;
    },
  ): Promise<string[]> {
    const client = await MovingClient.begin(a);
    await client.open(b);
    await a.streams.send([client.id], frame("m1"));
    await client.gets("m1");
    await client.leave();
    await using replica = hasReplica
      ? await RedisServer.start(["--replicaof", `127.0.0.1 ${server.port}`])
      : undefined;
    const snapshot = await copyOf(server, replica);
    const to = isBroadcast ? undefined : [client.id];
    await (sender === "a" ? a : b).streams.send(to, frame("m2"));
    await isStored(server, prefix, "m2");
    // Nobody else may know m2: its only receiver is gone.
    toB.cut();
    if (replica === undefined) await server.restart(snapshot);
    else {
      toA.cut();
      await server.kill();
      toA.heal(replica.port);
    }
    await a.streams.send([client.id], frame("m3"));
    await isStored(replica ?? server, prefix, "m3");
    if (sender === "b") toB.heal(replica?.port);
    await client.open(a);
    await a.streams.send([client.id], frame("m4"));
    await client.gets("m4");
    await client.leave();
    return client.received;
  }

  /** Waits until an event is in the log. */
  async function isStored(
    redis: RedisServer,
    prefix: string,
    text: string,
  ): Promise<void> {
    await until(
      async () => {
        const events = await redis.command(
          "XRANGE",
          `{${prefix}}:1:events`,
          "-",
          "+",
        );
        return JSON.stringify(events).includes(text);
      },
      `${text} in the log`,
      PATIENCE_MS,
    );
  }

  /** Makes a copy of a server: a snapshot, or what a replica has so far. */
  async function copyOf(
    original: RedisServer,
    replica: RedisServer | undefined,
  ): Promise<string | undefined> {
    if (replica === undefined) return await original.snapshot();
    await until(
      async () =>
        (await replica.command<string>("INFO", "replication"))
          .includes("master_link_status:up"),
      "the replica to have everything",
      PATIENCE_MS,
    );
    // It lags from now on.
    await replica.command("REPLICAOF", "NO", "ONE");
  }

  for (const sender of ["a", "b"] as const) {
    for (const isBroadcast of [false, true]) {
      for (const hasReplica of [false, true]) {
        const what = isBroadcast ? "broadcast" : "targeted event";
        const how = hasReplica
          ? "after a failover to a replica that lagged"
          : "after a restart from a snapshot";
        const who = sender === "a"
          ? "whose receiver is gone"
          : "whose sender was cut off";
        it(`R1 S15 a ${what} ${who} leaves no gap without a reset ${how}`, async () => {
          await using toA = await TcpProxy.start(server.port);
          await using toB = await TcpProxy.start(server.port);
          await using cluster = new RedisCluster(server);
          const a = await cluster.joinThrough(toA, OPTIONS);
          const b = await cluster.joinThrough(toB, OPTIONS);
          await met([a, b]);
          const received = await receivedAround(
            cluster.prefix,
            { a, b, toA, toB },
            { sender, isBroadcast, hasReplica },
          );
          assertEquals(received[0], "m1");
          assert(
            received.includes("m2") || received.includes("reset"),
            `${received}`,
          );
          assertEquals(
            received.length,
            new Set(received).size,
            `${received}`,
          );
        });
      }
    }
  }

  it("R1 R7 what a node had not received when Redis was restarted with all data arrives", async () => {
    await using cluster = new RedisCluster(server);
    await using proxy = await TcpProxy.start(server.port);
    const a = await cluster.join(OPTIONS);
    const b = await cluster.joinThrough(proxy, OPTIONS);
    await met([a, b]);
    const client = await MovingClient.begin(b);
    await client.open(b);
    await a.streams.send(undefined, frame("m1"));
    await client.gets("m1");
    proxy.silenceSubscribers();
    await a.streams.send(undefined, frame("m2"));
    await isStored(server, cluster.prefix, "m2");
    await server.restart(await server.snapshot());
    await client.gets("m2");
    await client.leave();
  });
});
