import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { openStream, usingFakeTime } from "../support/streams.ts";
import {
  CountingNetwork,
  type MessageCounts,
} from "./support/counting_network.ts";
import { settled } from "./support/timing.ts";

/** So many witnesses confirm a write, or are asked about what is unknown. */
const WITNESSES = 8;
const FRAME = "data: 1\n\n";
const HEARTBEAT_MS = 1_000;
/** Timers of nodes do not run more often. */
const STEP_MS = 50;

describe("ClusterSessions: what messages cost", () => {
  for (const size of [3, 30]) {
    it(
      `C17 an operation costs a few messages, on ${size} nodes`,
      usingFakeTime(async (time) => {
        const { network, nodes } = await start(time, size);
        const first = nodes[0]!;
        const last = nodes.at(-1)!;
        /** Expects that an operation publishes so many messages, at most. */
        const costs = async (
          most: number,
          what: string,
          run: () => unknown,
          least = most,
        ): Promise<void> => {
          network.take();
          await settled(time, Promise.resolve(run()), what);
          await pass(time, 3 * HEARTBEAT_MS);
          const { others, heartbeats } = network.take();
          const range = `${what}: ${others}, not ${least} to ${most}`;
          assert(others >= least && others <= most, range);
          // A broadcast is followed by one more heartbeat.
          const mostHeartbeats = 4 * size + 1;
          assert(heartbeats <= mostHeartbeats, `${heartbeats} heartbeats`);
        };
        const confirmed = 1 + Math.min(size - 1, WITNESSES);
        const { info, streams, subscriptions } = first;
        await costs(
          confirmed,
          "create",
          () => streams.create("s", openStream().controller),
        );
        await costs(confirmed, "a write", () => info.setLogLevel("s", "debug"));
        await costs(0, "has", async () => {
          assertEquals(await last.streams.has("s"), true);
        });
        await costs(0, "a read", async () => {
          assertEquals(await last.info.getLogLevel("s"), "debug");
        });
        // Each request and each response is acknowledged.
        const asked = 4 * (confirmed - 1);
        await costs(asked, "has, of an unknown session", async () => {
          assertEquals(await last.streams.has("unknown"), false);
        });
        await costs(
          2,
          "a targeted send",
          () => last.streams.send(["s"], FRAME),
        );
        await costs(
          1,
          "a broadcast",
          () => last.streams.send(undefined, FRAME),
        );
        const listen = (from: ClusterSessions) =>
          from.subscriptions.create(
            { id: 1, origin: "o", filters: { toolsListChanged: true } },
            { acknowledge: () => {}, send: () => {}, close: () => {} },
          );
        // One node is asked, or none: this one may decide itself.
        await costs(4, "listen", async () => {
          assertEquals(await listen(first), true);
        }, 0);
        await costs(8, "listen with a taken ID", async () => {
          assertEquals(await listen(last), false);
        }, 0);
        await costs(1, "a notification", () =>
          last.subscriptions.send({
            jsonrpc: "2.0",
            method: "notifications/tools/list_changed",
          }));
        await costs(10, "the end of a subscription", async () => {
          assertEquals(await subscriptions.close(1, "o", "closed"), true);
        }, 0);
        await costs(confirmed + 5, "delete", () => last.streams.delete("s"), 0);
        await stop(time, nodes);
      }),
    );

    it(
      `C17 an idle node publishes its heartbeats only, beside ${
        size - 1
      } others`,
      usingFakeTime(async (time) => {
        const { network, nodes } = await start(time, size);
        network.take();
        await pass(time, 5 * HEARTBEAT_MS);
        const { heartbeats, others, deliveries } = network.take();
        assertEquals(others, 0);
        assertEquals(heartbeats, 5 * size);
        assertEquals(deliveries, 5 * size * (size - 1));
        await stop(time, nodes);
      }),
    );
  }
});

/** Starts nodes, and waits until they are idle. */
async function start(
  time: FakeTime,
  size: number,
): Promise<{
  network: CountingNetwork;
  nodes: ClusterSessions[];
}> {
  const network = new CountingNetwork();
  const nodes = Array.from(
    { length: size },
    (_, number) =>
      new ClusterSessions(network.bus(), {
        cluster: { node: `n${number}` },
        streams: { keepAliveMs: false },
      }),
  );
  await settled(time, Promise.all(nodes.map(({ ready }) => ready)), "ready");
  await pass(time, 2 * HEARTBEAT_MS);
  let counts: MessageCounts;
  do {
    network.take();
    await pass(time, HEARTBEAT_MS);
    counts = network.take();
  } while (counts.others > 0);
  for (const node of nodes) assertEquals(node.nodes().length, size);
  return { network, nodes };
}

async function stop(
  time: FakeTime,
  nodes: readonly ClusterSessions[],
): Promise<void> {
  const closing = nodes.map((node) => node.close());
  await settled(time, Promise.all(closing), "close");
}

/** Lets time pass; messages that are sent meanwhile arrive. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    time.tick(STEP_MS);
    for (let turn = 0; turn < 4; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
