import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { PATIENCE_MS } from "../../cluster_nodes/remote_node.ts";
import { until } from "../../e2e/support/until.ts";
import { RedisServer } from "./redis_server.ts";

/** Servers of which one takes over when another dies. */
export interface ReplicatedServers extends AsyncDisposable {
  /** The ports that clients are given. */
  readonly ports: readonly number[];
  /** Kills the primary of a key, and waits until its replica has taken over. */
  failOver(key: string): Promise<void>;
}

/** A Redis Cluster. */
export interface ClusterServers extends ReplicatedServers {
  /** Separates the replica of a key from its primary: it lags from now on. */
  detachReplica(key: string): Promise<void>;
  /**
   * Makes the replica of a key the primary, while the other one is alive.
   *
   * @param key The key.
   * @param scripts What it has loaded.
   */
  takeOver(key: string, scripts?: readonly string[]): Promise<void>;
}

/** So short that tests need not wait for it. */
const TIMEOUT_MS = "1000";

/** Starts a Redis Cluster of three primaries with a replica each. */
export async function startCluster(): Promise<ClusterServers> {
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout"];
  const servers = await Promise.all(
    Array.from({ length: 6 }, () => RedisServer.start([...args, TIMEOUT_MS])),
  );
  const primaries = servers.slice(0, 3);
  const bounds = [0, 5_461, 10_923, 16_384];
  for (const [at, server] of primaries.entries()) {
    const range = [bounds[at]!, bounds[at + 1]! - 1].map(String);
    await server.command("CLUSTER", "ADDSLOTSRANGE", ...range);
    await server.command("CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
  }
  for (const server of servers.slice(1)) {
    const { port } = servers[0]!;
    await server.command("CLUSTER", "MEET", "127.0.0.1", String(port));
  }
  const answers = async (
    server: RedisServer,
    command: string[],
    expected: RegExp,
  ) => expected.test(String(await server.command("CLUSTER", ...command)));
  for (const server of servers) {
    await until(
      () => answers(server, ["INFO"], /cluster_known_nodes:6/),
      "the nodes to meet",
      PATIENCE_MS,
    );
  }
  for (const [at, primary] of primaries.entries()) {
    const id = await primary.command<string>("CLUSTER", "MYID");
    await servers[at + 3]!.command("CLUSTER", "REPLICATE", id);
  }
  for (const server of servers) {
    await until(
      () => answers(server, ["INFO"], /cluster_state:ok/),
      "the cluster to work",
      PATIENCE_MS,
    );
  }
  for (const replica of servers.slice(3)) await isInSync(replica);
  const shardOf = async (key: string) => {
    const slot = Number(await servers[0]!.command("CLUSTER", "KEYSLOT", key));
    const at = bounds.findLastIndex((bound) => bound <= slot);
    return { primary: primaries[at]!, replica: servers[at + 3]! };
  };
  return {
    ports: servers.map(({ port }) => port),
    async failOver(key) {
      const { primary, replica } = await shardOf(key);
      await isInSync(replica);
      await primary.kill();
      await isPrimary(replica);
    },
    async detachReplica(key) {
      const { primary, replica } = await shardOf(key);
      await isInSync(replica);
      // It cannot connect again with a user that does not exist.
      await replica.command("CONFIG", "SET", "masteruser", "nobody");
      await replica.command("CONFIG", "SET", "masterauth", "nothing");
      await primary.command("CLIENT", "KILL", "TYPE", "replica");
    },
    async takeOver(key, scripts = []) {
      const { primary, replica } = await shardOf(key);
      for (const text of scripts) {
        await replica.command("SCRIPT", "LOAD", text);
      }
      await replica.command("CLUSTER", "FAILOVER", "TAKEOVER");
      await isPrimary(replica);
      await until(
        async () =>
          /role:slave/.test(
            String(await primary.command("INFO", "replication")),
          ),
        "the earlier primary to be a replica",
        PATIENCE_MS,
      );
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.kill();
    },
  };
}

/** Starts a primary, a replica, and a Sentinel that watches them as "main". */
export async function startSentinel(): Promise<ReplicatedServers> {
  const primary = await RedisServer.start();
  const replica = await RedisServer.start([
    "--replicaof",
    "127.0.0.1",
    String(primary.port),
  ]);
  // It writes its state into its configuration.
  const folder = mkdtempSync(`${tmpdir()}/sentinel-`);
  const config = `${folder}/sentinel.conf`;
  writeFileSync(config, "");
  const sentinel = await RedisServer.start(["--sentinel"], config);
  const main = ["main", "127.0.0.1", String(primary.port), "1"];
  await sentinel.command("SENTINEL", "MONITOR", ...main);
  for (const option of ["down-after-milliseconds", "failover-timeout"]) {
    await sentinel.command("SENTINEL", "SET", "main", option, TIMEOUT_MS);
  }
  await isInSync(replica);
  await until(
    async () =>
      String(await sentinel.command("SENTINEL", "REPLICAS", "main"))
        .includes(String(replica.port)),
    "Sentinel to know the replica",
    PATIENCE_MS,
  );
  return {
    ports: [sentinel.port],
    async failOver() {
      await primary.kill();
      await isPrimary(replica);
    },
    async [Symbol.asyncDispose]() {
      for (const server of [sentinel, replica, primary]) await server.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

async function isInSync(replica: RedisServer): Promise<void> {
  await until(
    async () =>
      /master_link_status:up/.test(
        String(await replica.command("INFO", "replication")),
      ),
    "the replica to be in sync",
    PATIENCE_MS,
  );
}

async function isPrimary(server: RedisServer): Promise<void> {
  await until(
    // Sentinel closes all connections of the replica.
    () =>
      server.command("INFO", "replication").then(
        (info) => /role:master/.test(String(info)),
        () => false,
      ),
    "the replica to take over",
    PATIENCE_MS,
  );
}
