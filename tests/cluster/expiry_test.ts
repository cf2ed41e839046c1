import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { start, stop, TestNode } from "./support/test_node.ts";
import { HEARTBEAT_MS, LEASE_MS, pass, settled } from "./support/timing.ts";

const IDLE_MS = 400;
/** How long it may take until an idle session is noticed. */
const SWEEP_MS = IDLE_MS / 2;
const URI = "file:///a";
const options = { info: { idleTimeoutMs: IDLE_MS } };

describe("ClusterSessions: expiry of metadata", () => {
  it(
    "I8 a session that two nodes used in turn expires",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes.map(({ sessions }) => sessions);
      await settled(time, a!.info.setLogLevel("s", "info"), "set");
      await settled(time, a!.info.addSubscription("s", URI), "add");
      await pass(time, IDLE_MS / 2);
      assertEquals(await b!.info.getLogLevel("s"), "info");
      // Use by the other node counts as well, but only once.
      await pass(time, IDLE_MS - HEARTBEAT_MS);
      assertEquals(await known(nodes), [true, true]);
      await pass(time, SWEEP_MS);
      assertEquals(await known(nodes), [false, false]);
      assert(a!.stats().expired + b!.stats().expired > 0);
      await stop(time, nodes);
    }),
  );

  it(
    "I8 a session expires although nodes join all the time",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], options);
      const [a] = nodes.map(({ sessions }) => sessions);
      await settled(time, a!.info.setLogLevel("s", "info"), "set");
      await settled(time, a!.info.addSubscription("s", URI), "add");
      const startedAt = Date.now();
      const joiners: TestNode[] = [];
      while (Date.now() - startedAt < 2 * IDLE_MS + SWEEP_MS) {
        const cluster = { node: `joiner ${joiners.length}` };
        const joined = await start(time, [cluster.node], {
          ...options,
          network,
        });
        joiners.push(...joined.nodes);
        if (joiners.length === 1) {
          assertEquals(
            await known(joiners),
            [true],
            "The joining node did not receive it.",
          );
        }
        await pass(time, HEARTBEAT_MS);
      }
      assert(joiners.length > 5, `Only ${joiners.length} nodes have joined.`);
      const all = [...nodes, ...joiners];
      assertEquals(await known(all), all.map(() => false));
      await stop(time, all);
    }),
  );

  it(
    "I8 a session in use on a node that is cut off is kept until it is idle there",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes.map(({ sessions }) => sessions);
      const { client, created } = nodes[1]!.open("streamed");
      await settled(time, created, "create");
      for (const id of ["s", "streamed"]) {
        await settled(time, a!.info.setLogLevel(id, "info"), "set");
      }
      await settled(time, a!.info.addSubscription("s", URI), "add");
      network.partition([["n1"]]);
      // Longer than the idle timeout, and not long enough for the node to be
      // forgotten.
      await use(time, nodes[1]!, IDLE_MS + SWEEP_MS - 4 * HEARTBEAT_MS);
      assertEquals(a!.nodes().length, 1, "It was not considered dead.");
      network.heal();
      await use(time, nodes[1]!, 2 * LEASE_MS);
      assertEquals(await known(nodes), [true, true]);
      // A session with a stream is in use as well.
      assertEquals(await a!.info.getLogLevel("streamed"), "info");
      assertEquals(client.ended, undefined);
      await pass(time, IDLE_MS + SWEEP_MS);
      assertEquals(await known(nodes), [false, false]);
      assertEquals(await b!.info.getLogLevel("streamed"), "info");
      await stop(time, nodes);
    }),
  );

  it(
    "I8 a session in use on a node that is too busy to respond is kept",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork();
      const cluster = { requestTimeoutMs: 50 };
      const here = new TestNode(network.bus(), {
        ...options,
        cluster: { ...cluster, node: "here" },
      });
      let isBusy = false;
      const bus = network.bus();
      const there = new TestNode(
        saying(bus, (text) => !isBusy || text.includes('"kind":"heartbeat"')),
        { ...options, cluster: { ...cluster, node: "there" } },
      );
      const nodes = [here, there];
      const ready = nodes.map(({ sessions }) => sessions.ready);
      await settled(time, Promise.all(ready), "ready");
      const { info } = here.sessions;
      await settled(time, info.setLogLevel("s", "info"), "set");
      await settled(time, info.addSubscription("s", URI), "add");
      isBusy = true;
      await use(time, there, 2 * IDLE_MS);
      assertEquals(here.sessions.nodes().length, 2, "It was considered dead.");
      isBusy = false;
      await use(time, there, IDLE_MS);
      assertEquals(await known(nodes), [true, true]);
      await pass(time, IDLE_MS + SWEEP_MS);
      assertEquals(await known(nodes), [false, false]);
      await stop(time, nodes);
    }),
  );
});

/** Returns whether each node knows the session. Does not count as use. */
async function known(nodes: readonly TestNode[]): Promise<boolean[]> {
  const ids = await Promise.all(
    nodes.map(({ sessions }) => sessions.info.getSubscriptions(URI)),
  );
  return ids.map((ids) => ids.includes("s"));
}

/** Uses the session again and again, on one node. */
async function use(time: FakeTime, node: TestNode, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= HEARTBEAT_MS) {
    assertEquals(await node.sessions.info.getLogLevel("s"), "info");
    await pass(time, HEARTBEAT_MS);
  }
}

/** A bus that drops some of the messages of its node. */
function saying(bus: MessageBus, says: (text: string) => boolean): MessageBus {
  return {
    start: (node, receive) => bus.start(node, receive),
    publish: (text, to) => says(text) ? bus.publish(text, to) : void 0,
    close: () => bus.close(),
  };
}
