import type { LoggingLevel } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { until } from "../e2e/support/until.ts";
import type { Knowledge } from "../cluster_nodes/update_actions.ts";
import {
  meet,
  PATIENCE_MS,
  withWorkers,
  type WorkerNode,
} from "./support/workers.ts";

type Four = [WorkerNode, WorkerNode, WorkerNode, WorkerNode];

const LEVELS: readonly LoggingLevel[] = ["debug", "info", "error", "alert"];

/** Returns whether all nodes return the same metadata. */
async function agree<Value>(
  nodes: readonly WorkerNode[],
  ask: (node: WorkerNode) => Promise<Value>,
): Promise<boolean> {
  const answers = await Promise.all(
    nodes.map((node) =>
      ask(node).then((value) => JSON.stringify(value), (error) => error.name)
    ),
  );
  return new Set(answers).size === 1;
}

describe("BroadcastChannelSessions: metadata", () => {
  it(
    "C9 nodes that join during constant updates end up with the same metadata",
    withWorkers({}, async (workers) => {
      const early = await workers.start(2) as [WorkerNode, WorkerNode];
      const ids = early.map((_, at) =>
        Array.from({ length: 160 }, (_, index) => `${at}-${index}`)
      );
      const late = [workers.spawn(), workers.spawn()];
      // Their threads are started earlier, so that they join while updates are
      // made.
      await Promise.all(late.map(({ channels }) => channels.names()));
      for (const [at, { updates }] of early.entries()) {
        await updates.start(ids[at]!);
      }
      const isBusy = async () => {
        const known = await early[0].updates.knowledge(ids[1]!);
        return known.attached.length > 20 &&
          known.subscribers[0]![1].length > 5;
      };
      await until(isBusy, "some updates", PATIENCE_MS);
      for (const node of late) await workers.join(node);
      await until(isBusy, "some updates", PATIENCE_MS);
      const expected: Knowledge[] = [];
      for (const [at, { updates }] of early.entries()) {
        expected.push(await updates.stop(ids[at]!));
      }
      const nodes = [...early, ...late];
      await meet(nodes);
      for (const [at, knowledge] of expected.entries()) {
        assert(knowledge.attached.length > 0);
        for (const { updates } of nodes) {
          assertEquals(await updates.knowledge(ids[at]!), knowledge);
        }
      }
    }),
  );

  it(
    "C11 concurrent writes to different fields of a session are all kept",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(4) as Four;
      for (let round = 0; round < 40; round++) {
        const id = `session-${round}`;
        const [a, b, c, d] = nodes.map((_, at) =>
          nodes[(round + at) % 4]!
        ) as Four;
        await Promise.all([
          a.info.setClientInfo(id, { name: id, version: "1" }),
          b.info.setClientCapabilities(id, { roots: {} }),
          c.info.setLogLevel(id, "notice"),
          d.info.addSubscription(id, "file:///a"),
          a.info.addSubscription(id, "file:///b"),
          b.info.addSubscription(id, "file:///a"),
        ]);
        for (const { info } of nodes) {
          assertEquals(
            await info.getClientInfo(id),
            { name: id, version: "1" },
          );
          assertEquals(await info.getClientCapabilities(id), { roots: {} });
          assertEquals(await info.getLogLevel(id), "notice");
          for (const uri of ["file:///a", "file:///b"]) {
            assert((await info.getSubscriptions(uri)).includes(id));
          }
        }
      }
      for (const { info } of nodes) {
        assertEquals((await info.getSubscriptions("file:///a")).length, 40);
      }
    }),
  );

  it(
    "C11 after concurrent writes to the same field, all nodes agree",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(4) as Four;
      for (let round = 0; round < 40; round++) {
        const id = `session-${round}`;
        const written = nodes.map((_, at) => LEVELS[(round + at) % 4]!);
        await Promise.all(
          nodes.flatMap(({ info }, at) => [
            info.setLogLevel(id, written[at]!),
            round % 2 === at % 2
              ? info.addSubscription(id, "file:///a")
              : info.removeSubscription(id, "file:///a"),
          ]),
        );
        await until(
          async () =>
            await agree(nodes, ({ info }) => info.getLogLevel(id)) &&
            await agree(
              nodes,
              async ({ info }) =>
                (await info.getSubscriptions("file:///a")).includes(id),
            ),
          "all nodes to agree",
          PATIENCE_MS,
        );
        assert(written.includes((await nodes[0].info.getLogLevel(id))!));
      }
    }),
  );

  it(
    "C11 after concurrent writes and deletions of a session, all nodes agree",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      for (let round = 0; round < 40; round++) {
        const id = `session-${round}`;
        await a.info.setClientInfo(id, { name: "before", version: "1" });
        await Promise.all([
          b.info.setLogLevel(id, "info"),
          c.info.delete(id),
          a.info.addSubscription(id, "file:///a"),
        ]);
        const reads: ((node: WorkerNode) => Promise<unknown>)[] = [
          ({ info }) => info.getClientInfo(id),
          ({ info }) => info.getLogLevel(id),
          async ({ info }) =>
            (await info.getSubscriptions("file:///a")).includes(id),
        ];
        for (const read of reads) {
          await until(
            () => agree(nodes, read),
            "all nodes to agree",
            PATIENCE_MS,
          );
        }
        // What is written afterwards stays.
        await b.info.setLogLevel(id, "alert");
        for (const { info } of nodes) {
          assertEquals(await info.getLogLevel(id), "alert");
        }
      }
    }),
  );
});
