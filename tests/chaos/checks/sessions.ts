import { until } from "../../e2e/support/until.ts";
import type { Actions } from "../actions.ts";
import type { ChaosClient } from "../client.ts";
import { FAULTS } from "../faults.ts";
import type { History } from "../history.ts";
import type { ChaosNode } from "../nodes/chaos_node.ts";
import { ping } from "../requests.ts";
import { PATIENCE_MS } from "../setting.ts";

const UNKNOWN = "unknown for now";

/** Checks on each node which sessions there are, and their metadata. */
export async function checkSessions(
  { nodes: { alive: nodes }, live }: Actions,
  history: History,
): Promise<void> {
  for (const client of live) await checkData(client, nodes, history);
  for (const node of nodes) {
    for (const client of history.clients) {
      if (client.state === "ended") await staysEnded(client, node, history);
    }
    await checkList(node, live, history);
    for (const client of live) await hasStream(client, node, history);
  }
}

/** A node knows of each stream, at once if nothing has failed. */
async function hasStream(
  { id, name, state }: ChaosClient,
  node: ChaosNode,
  history: History,
): Promise<void> {
  const isStrict = !history.isDisturbed(history.rounds.at(-1)!, history.now);
  let has = false;
  await until(
    async () => {
      has = state !== "live" || await node.handle.has(id);
      return has || isStrict;
    },
    `${node.name} to know of the stream of ${name}`,
    PATIENCE_MS,
  );
  if (!has) {
    history.violate(`${node.name} does not know of the stream of ${name}`);
  }
}

/** All nodes have the same value, and the last one if one node wrote. */
async function checkData(
  client: ChaosClient,
  nodes: readonly ChaosNode[],
  history: History,
): Promise<void> {
  const { writers, written, name } = client;
  let values: unknown[] = [];
  await until(
    async () => {
      values = await Promise.all(nodes.map((node) => dataOf(client, node)));
      return new Set(values).size === 1 && values[0] !== UNKNOWN;
    },
    () => `the nodes to agree on the data of ${name}, they have ${values}`,
    PATIENCE_MS,
  );
  const isOf = [...writers].every(({ goneAt }) => goneAt === Infinity);
  // What the server has is not replaced (redis.md, "Failover").
  const isOlder = history.cameBack(history.rounds.at(-1)!);
  const expected = isOlder
    ? values[0]
    : writers.size === 0
    ? client.agreed
    : writers.size === 1 && isOf
    ? written
    : values[0];
  if (values[0] !== expected) {
    history.violate(
      `the nodes read ${values[0]} for ${name}, instead of ${expected}`,
    );
  }
  client.agreed = values[0];
  writers.clear();
}

/** What a node reads; a store that was away may not know it yet. */
async function dataOf(client: ChaosClient, node: ChaosNode): Promise<unknown> {
  try {
    return await node.handle.getData(client.id);
  } catch (error) {
    if (isClusterError(error)) return UNKNOWN;
    throw error;
  }
}

/**
 * A session that has ended is unknown on each node. One that was cut off then
 * learns it later.
 */
async function staysEnded(
  client: ChaosClient,
  node: ChaosNode,
  history: History,
): Promise<void> {
  if (mayComeBack(client, history)) return;
  let status = 0;
  const isStrict = client.endedOn.has(node) ||
    !history.isDisturbed(client.endedAt, history.now);
  await until(
    async () => {
      status = await ping(node, client.id);
      return status === 404 || isStrict && status === 200;
    },
    () => `${node.name} to know that ${client.name} has ended, got ${status}`,
    PATIENCE_MS,
  );
  if (status === 404) return void client.endedOn.add(node);
  history.violate(
    `${node.name} answers ${client.name} with ${status}, which has ended`,
  );
}

/**
 * What was deleted in an outage may come back if the store has lost everything,
 * and any session if the node that ended it in an outage is gone, or if that is
 * gone when the store loses data (guarantees.md).
 */
function mayComeBack(
  { ending, endedAt }: ChaosClient,
  history: History,
): boolean {
  const { node, isDelete } = ending!;
  const isGone = node.goneAt < Infinity;
  const isLost = history.faults.some(({ fault, healedAt }) =>
    FAULTS[fault].losesData && healedAt > endedAt
  );
  return isLost && (isDelete || isGone) ||
    isGone && history.isDisturbed(endedAt, node.goneAt);
}

/** A list has each session once. */
async function checkList(
  node: ChaosNode,
  live: readonly ChaosClient[],
  history: History,
): Promise<void> {
  const counts = new Map<string, number>();
  await until(
    async () => {
      counts.clear();
      try {
        for (const id of await node.handle.list()) {
          counts.set(id, (counts.get(id) ?? 0) + 1);
        }
        return true;
      } catch (error) {
        // A machine that is busy may have an outage of its own.
        if (isClusterError(error)) return false;
        throw error;
      }
    },
    `${node.name} to list its sessions`,
    PATIENCE_MS,
  );
  for (const { id, name, state } of live) {
    const count = counts.get(id) ?? 0;
    if (state !== "live" || count === 1) continue;
    history.violate(`${node.name} lists ${name} ${count} times`);
  }
}

/** Errors of other processes have no class. */
function isClusterError(error: unknown): boolean {
  return (error as Error).name === "ClusterError";
}
