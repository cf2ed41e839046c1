import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { doEverything } from "./support/everything.ts";
import { openStream } from "./support/open_stream.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis } from "./support/redis_server.ts";
import {
  CLUSTER_CLIENTS,
  type MakeClient,
  SENTINEL_CLIENTS,
} from "./support/replicated_clients.ts";
import {
  type ReplicatedServers,
  startCluster,
  startSentinel,
} from "./support/replicated_servers.ts";

/** Sends a text until a stream of another node has it. */
async function reaches(
  from: RedisSessions,
  stream: ReturnType<typeof openStream>,
): Promise<void> {
  const text = crypto.randomUUID();
  await from.streams.send(["moved"], frame(text));
  await until(
    () => stream.collector.events.some(({ data }) => data === text),
    "a message",
    PATIENCE_MS,
  );
}

/** Does everything with two nodes, before and after a failover. */
async function survive(
  start: () => Promise<ReplicatedServers>,
  make: MakeClient,
  failsOver = true,
): Promise<void> {
  await using servers = await start();
  const made = [make(servers.ports), make(servers.ports)];
  const errors: Error[][] = [[], []];
  try {
    await Promise.all(made.map(({ connect }) => connect()));
    const nodes = made.map(({ client }, at) =>
      new RedisSessions(client, {
        cluster: { heartbeatMs: 200 },
        streams: { replay: {} },
        onError: (error) => void errors[at]!.push(error),
      })
    );
    const [here, there] = nodes as [RedisSessions, RedisSessions];
    try {
      await Promise.all(nodes.map(({ ready }) => ready));
      await met(nodes);
      await doEverything(here, there);
      assertEquals(errors, [[], []]);
      if (!failsOver) return;
      const stream = openStream();
      await here.streams.create("moved", stream.controller);
      await here.info.setLogLevel("moved", "alert");
      await reaches(there, stream);
      await servers.failOver("{mcp}:");
      await met(nodes);
      await reaches(there, stream);
      await reaches(here, stream);
      assertEquals(await there.streams.has("moved"), true);
      assertEquals(await there.info.getLogLevel("moved"), "alert");
      for (const reports of errors) assert(reports.length <= 1, `${reports}`);
    } finally {
      for (const node of nodes) await node.close();
    }
  } finally {
    for (const { end } of made) await end();
  }
}

describeRedis("RedisSessions: clients of Redis Cluster", () => {
  for (const [name, make] of Object.entries(CLUSTER_CLIENTS)) {
    // Version 5 queues commands for a killed primary forever.
    if (name === "node-redis 5") {
      it(`R8 the cluster client of ${name} works`, () =>
        survive(startCluster, make, false));
      continue;
    }
    it(`R6 R8 the cluster client of ${name} works, also after a primary was killed`, () =>
      survive(startCluster, make));
  }
});

describeRedis("RedisSessions: clients of Sentinel", () => {
  for (const [name, make] of Object.entries(SENTINEL_CLIENTS)) {
    it(`R6 R8 the Sentinel client of ${name} works, also after a failover`, () =>
      survive(startSentinel, make));
  }
});
