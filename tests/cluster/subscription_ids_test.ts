import { assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { start, stop, type TestNode } from "./support/test_node.ts";
import { LEASE_MS, MEMORY_MS, pass, settled } from "./support/timing.ts";

/** Enough for each node to decide about some. */
const IDS = Array.from({ length: 20 }, (_, id) => id);

describe("ClusterSessions: the IDs of subscriptions", () => {
  it(
    "C15 an ID stays taken when nodes join, die or return",
    usingFakeTime(async (time) => {
      const names = ["n0", "n1", "n2", "n3"];
      const { network, nodes } = await start(time, names);
      const [holder, ...others] = nodes as [TestNode, ...TestNode[]];
      assertEquals(await subscribe(time, holder), IDS);
      // A node that is cut off for a while forgets what it decided.
      network.partition([["n1"]]);
      await pass(time, 2 * LEASE_MS);
      for (const node of others.slice(1)) {
        assertEquals(await subscribe(time, node), []);
      }
      network.heal();
      await pass(time, LEASE_MS);
      for (const node of others) {
        assertEquals(await subscribe(time, node), []);
      }
      network.stop("n3");
      await pass(time, MEMORY_MS + LEASE_MS);
      const { nodes: [guest] } = await start(time, ["n4"], { network });
      await pass(time, LEASE_MS);
      for (const node of [...others.slice(0, 2), guest!]) {
        assertEquals(await subscribe(time, node), []);
      }
      // Any node ends them; then they are free.
      for (const id of IDS) {
        const closed = guest!.sessions.subscriptions.close(id, "o", "closed");
        assertEquals(await settled(time, closed, "close"), true);
      }
      assertEquals(await subscribe(time, others[0]!), IDS);
      assertEquals(await subscribe(time, holder), []);
      await stop(time, [...nodes, guest!]);
    }),
  );

  it(
    "C15 an ID is free again when its node has died",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1", "n2"]);
      assertEquals(await subscribe(time, nodes[0]!), IDS);
      network.stop("n0");
      await pass(time, 2 * LEASE_MS);
      assertEquals(await subscribe(time, nodes[1]!), IDS);
      assertEquals(await subscribe(time, nodes[2]!), []);
      await stop(time, nodes);
    }),
  );

  it(
    "C15 an ID is free again when its acknowledgement has failed",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1", "n2"]);
      for (const id of IDS) {
        const failed = nodes[0]!.sessions.subscriptions.create(
          { id, origin: "o", filters: {} },
          {
            acknowledge: () => Promise.reject(new Error("refused")),
            send: () => {},
            close: () => {},
          },
        ).catch(({ message }) => message);
        assertEquals(await settled(time, failed, "create"), "refused");
      }
      await pass(time, 10);
      assertEquals(await subscribe(time, nodes[1]!), IDS);
      await stop(time, nodes);
    }),
  );
});

/** Creates all subscriptions on a node; returns the IDs that were free. */
async function subscribe(
  time: FakeTime,
  { sessions }: TestNode,
): Promise<number[]> {
  const free: number[] = [];
  for (const id of IDS) {
    const created = sessions.subscriptions.create(
      { id, origin: "o", filters: {} },
      { acknowledge: () => {}, send: () => {}, close: () => {} },
    );
    if (await settled(time, created, "create")) free.push(id);
  }
  return free;
}
