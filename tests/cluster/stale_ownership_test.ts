import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { openStream, usingFakeTime } from "../support/streams.ts";
import { dataOf, positionOf, start, stop, views } from "./support/test_node.ts";
import { pass, settled } from "./support/timing.ts";

const options = { streams: { replay: { maxAgeMs: 200 } } };

describe("ClusterSessions: a stream that fails at its first chunk", () => {
  it(
    "S6 no node lists it",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1", "n2"], options);
      const [a] = nodes;
      const { streams } = a!.sessions;
      const controller = await failing();
      streams.prepareStream("s", { prime: true });
      await settled(time, streams.create("s", controller), "create");
      assertEquals(await views(time, nodes, "s"), [false, false, false]);
      assertEquals(await attached(nodes), [false, false, false]);
      await pass(time, 500);
      assertEquals(await views(time, nodes, "s"), [false, false, false]);
      assertEquals(a!.sessions.stats().attached, 0);
      await stop(time, nodes);
    }),
  );

  it(
    "S6 no node lists it after a takeover, and the next stream is accepted",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1", "n2"], options);
      const [a, b, c] = nodes;
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      void c!.sessions.streams.send(["s"], "data: one\n\n");
      await pass(time, 20);
      const lastEventId = positionOf(first.client);
      first.client.cancel();
      await pass(time, 20);
      void c!.sessions.streams.send(["s"], "data: two\n\n");
      await pass(time, 20);
      const { streams } = a!.sessions;
      const controller = await failing();
      const takeBack = streams.prepareStream("s", {
        lastEventId,
        persistent: true,
      });
      await settled(time, streams.create("s", controller), "create");
      takeBack();
      assertEquals(await views(time, nodes, "s"), [false, false, false]);
      assertEquals(await attached(nodes), [false, false, false]);
      // What the client could not receive is not lost.
      const second = c!.open("s", { expect: { lastEventId, prime: true } });
      await settled(time, second.created, "create");
      await pass(time, 20);
      assertEquals(dataOf(second.client), ["two"]);
      assertEquals(await views(time, nodes, "s"), [true, true, true]);
      await stop(time, nodes);
    }),
  );
});

/**
 * A controller that accepts nothing any more, although its stream was not
 * cancelled.
 */
async function failing(): Promise<ReadableStreamDefaultController> {
  const { controller, reader } = openStream();
  await reader.cancel();
  return controller;
}

/** Returns whether nodes know an owner of the session's stream. */
async function attached(
  nodes: Awaited<ReturnType<typeof start>>["nodes"],
): Promise<boolean[]> {
  return await Promise.all(nodes.map((node) => node.isAttached("s")));
}
