import type { InfoOptions } from "@crossmcp/session-manager";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { openStream, usingFakeTime } from "../support/streams.ts";
import { CountingNetwork } from "./support/counting_network.ts";
import { settled } from "./support/timing.ts";

/** So many witnesses confirm a write, or are asked about what is unknown. */
const WITNESSES = 8;
const FRAME = "data: 1\n\n";
const HEARTBEAT_MS = 1_000;
/** Timers of nodes do not run more often. */
const STEP_MS = 50;

describe("ClusterSessions: what messages cost", () => {
  for (const size of [3, 30, 100]) {
    it(
      `C17 a few messages for each operation, on ${size} nodes`,
      usingFakeTime(async (time) => {
        const { network, nodes } = await start(time, size);
        await assertIdleCosts(time, network, size);
        const first = nodes[0]!;
        const last = nodes.at(-1)!;
        /** Expects that an operation publishes so many messages. */
        const costs = async (
          most: number,
          what: string,
          run: () => unknown,
          least = most,
        ): Promise<void> => {
          network.take();
          await settled(time, Promise.resolve(run()), what);
          // Delayed acknowledgements are sent as well.
          await pass(time, HEARTBEAT_MS / 4);
          const { others, heartbeats } = network.take();
          const expected = `not ${least} to ${most}`;
          const isExpected = others >= least && others <= most;
          assert(isExpected, `${what}: ${others}, ${expected}`);
          // A broadcast is followed by the next heartbeat of its sender.
          assert(heartbeats <= size + 1, `${what}: ${heartbeats} heartbeats`);
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
        await costs(4 * (confirmed - 1), "has, of no session", async () => {
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
        // One node is asked, or none, because this one decides.
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
        // Two handshakes, the data of both, and at most one repetition.
        await costs(12 * size, "another node", async () => {
          nodes.push(join(network, size));
          await nodes.at(-1)!.ready;
        }, 8 * size);
        await stop(time, nodes);
      }),
    );
  }

  it(
    "C17 one node asks whether a session is in use, and informs the others",
    usingFakeTime(async (time) => {
      const size = 10;
      const idleTimeoutMs = 2_000;
      const { network, nodes } = await start(time, size, { idleTimeoutMs });
      const [{ info }] = nodes as [ClusterSessions];
      await settled(time, info.setLogLevel("s", "debug"), "a write");
      network.take();
      for (let passedMs = 0; passedMs < 5 * idleTimeoutMs; passedMs += 500) {
        const level = await settled(time, info.getLogLevel("s"), "a read");
        assertEquals(level, "debug");
        await pass(time, 500);
      }
      // Twice in each idle timeout at most, it asks the witnesses for a stream
      // and all nodes for the last use.
      const check = 4 * WITNESSES + 4 * (size - 1) + 1;
      const { others } = network.take();
      assert(others > 0 && others <= 10 * check, `${others} messages`);
      await stop(time, nodes);
    }),
  );
});

/** Expects that idle nodes publish their heartbeats only. */
async function assertIdleCosts(
  time: FakeTime,
  network: CountingNetwork,
  size: number,
): Promise<void> {
  network.take();
  await pass(time, 2 * HEARTBEAT_MS);
  assertEquals(network.take(), {
    heartbeats: 2 * size,
    others: 0,
    deliveries: 2 * size * (size - 1),
  });
}

function join(
  network: CountingNetwork,
  number: number,
  info?: InfoOptions,
): ClusterSessions {
  return new ClusterSessions(network.bus(), {
    cluster: { node: `n${number}` },
    streams: { keepAliveMs: false },
    info,
  });
}

/** Starts nodes, and waits until they are idle. */
async function start(
  time: FakeTime,
  size: number,
  info?: InfoOptions,
): Promise<{
  network: CountingNetwork;
  nodes: ClusterSessions[];
}> {
  const network = new CountingNetwork();
  const nodes = Array.from(
    { length: size },
    (_, at) => join(network, at, info),
  );
  await settled(time, Promise.all(nodes.map(({ ready }) => ready)), "ready");
  await pass(time, HEARTBEAT_MS);
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
