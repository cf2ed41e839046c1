import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { openStream, usingFakeTime } from "../support/streams.ts";
import { dataOf, positionOf, start, stop, views } from "./support/test_node.ts";
import { LEASE_MS, MEMORY_MS, pass, settled } from "./support/timing.ts";
import { resetCounts } from "../support/empty_stats.ts";

const options = { streams: { replay: {} } };

describe("ClusterSessions: takeover of a session", () => {
  it(
    "S14 nothing is replayed that a client received before it left without an event ID",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes;
      const send = async (text: string) => {
        void a!.sessions.streams.send(["s"], `data: ${text}\n\n`);
        void b!.sessions.streams.send(
          undefined,
          `data: broadcast of ${text}\n\n`,
        );
        await pass(time, 20);
      };
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      await send("one");
      assertEquals(dataOf(first.client).sort(), ["broadcast of one", "one"]);
      // It starts a new session elsewhere: earlier events are not for it.
      const second = a!.open("s", { expect: { prime: true } });
      await settled(time, second.created, "create");
      await send("two");
      assertEquals(dataOf(second.client).sort(), ["broadcast of two", "two"]);
      second.client.cancel();
      await pass(time, 20);
      await send("three");
      const lastEventId = positionOf(second.client);
      const third = b!.open("s", { expect: { lastEventId, prime: true } });
      await settled(time, third.created, "create");
      await send("four");
      assertEquals(
        dataOf(third.client).sort(),
        ["broadcast of four", "broadcast of three", "four", "three"],
      );
      await stop(time, nodes);
    }),
  );

  it(
    "S14 what a client missed is replayed from an owner that the new node has not learned of",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(
        time,
        ["n0", "n1", "n2", "n3"],
        options,
      );
      const [a, b, c] = nodes;
      const send = async (text: string) => {
        void b!.sessions.streams.send(["s"], `data: ${text}\n\n`);
        await pass(time, 20);
      };
      const first = a!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      // The claim of the second owner does not reach the third node.
      network.partition([["n2"]]);
      const second = b!.open("s", {
        expect: { lastEventId: positionOf(first.client) },
      });
      await send("one");
      assertEquals(dataOf(second.client), ["one"]);
      second.client.cancel();
      await send("two");
      // The takeover does not wait for a node that has nothing to do with it.
      network.partition([["n3"]]);
      const third = c!.open("s", {
        expect: { lastEventId: positionOf(second.client) },
      });
      await pass(time, 20);
      assertEquals(dataOf(third.client), ["two"]);
      network.heal();
      await settled(time, third.created, "create");
      await settled(time, second.created, "create");
      await send("three");
      assertEquals(dataOf(third.client), ["two", "three"]);
      assertEquals(c!.sessions.stats().resets, resetCounts());
      await stop(time, nodes);
    }),
  );

  it(
    "C3 other nodes know a stream whose client opened it again during a takeover",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1", "n2"], options);
      const [a, b, c] = nodes;
      const first = a!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      const lastEventId = positionOf(first.client);
      // The takeover waits for the previous owner.
      network.partition([["n0"]]);
      const second = b!.open("s", { expect: { lastEventId } });
      await pass(time, 20);
      void b!.sessions.streams.delete("s");
      await pass(time, 20);
      const third = b!.open("s", { expect: { lastEventId } });
      await pass(time, 20);
      network.heal();
      await settled(time, third.created, "create");
      await settled(time, second.created, "create");
      await pass(time, 20);
      assertEquals(await c!.sessions.streams.has("s"), true);
      await stop(time, nodes);
    }),
  );

  it(
    "S15 a stream is reset as soon as the previous owner responds, without asking others",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1", "n2"], options);
      const [a, b] = nodes;
      const first = a!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      // It would not respond for a while.
      network.partition([["n2"]]);
      const unknownId = `${"0".repeat(16)}-7`;
      const second = b!.open("s", { expect: { lastEventId: unknownId } });
      await pass(time, 20);
      assertEquals(b!.sessions.stats().resets, resetCounts({ unknown: 1 }));
      assert(second.client.text.includes("event: reset"), second.client.text);
      network.heal();
      await settled(time, second.created, "create");
      await stop(time, nodes);
    }),
  );

  it(
    "S15 a stream is reset at once if no node knows its session",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1", "n2"], options);
      const unknownId = `${"0".repeat(16)}-7`;
      const { client } = nodes[1]!.open("s", {
        expect: { lastEventId: unknownId },
      });
      await pass(time, 20);
      assertEquals(
        nodes[1]!.sessions.stats().resets,
        resetCounts({ unknown: 1 }),
      );
      assert(client.text.includes("event: reset"), client.text);
      await stop(time, nodes);
    }),
  );

  it(
    "S14 what a client missed is kept if it reconnects to two nodes at once",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes;
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      const expect = { lastEventId: positionOf(first.client) };
      first.client.cancel();
      await pass(time, 20);
      void b!.sessions.streams.send(["s"], "data: missed\n\n");
      // Of two claims at the same time, that of the second node wins.
      const older = a!.open("s", { expect });
      const newer = b!.open("s", { expect });
      await settled(time, older.created, "create");
      await settled(time, newer.created, "create");
      assertEquals(older.client.ended, "closed");
      assertEquals(dataOf(newer.client), ["missed"]);
      newer.client.cancel();
      await pass(time, 20);
      const last = b!.open("s", { expect });
      await settled(time, last.created, "create");
      assertEquals(dataOf(last.client), ["missed"]);
      assertEquals(b!.sessions.stats().resets, resetCounts());
      await stop(time, nodes);
    }),
  );

  for (const isKilled of [false, true]) {
    const how = isKilled ? "was killed" : "hands it over";
    it(
      `S14 broadcasts of a node that has closed come once, through a node that started later, if the first owner ${how}`,
      usingFakeTime(async (time) => {
        const names = ["n0", "n1", "n2"];
        const { network, nodes } = await start(time, names, options);
        const [a, b, c] = nodes;
        const first = a!.open("s", { expect: { prime: true } });
        await settled(time, first.created, "create");
        void c!.sessions.streams.send(undefined, "data: old\n\n");
        await pass(time, 20);
        assertEquals(dataOf(first.client), ["old"]);
        await settled(time, c!.sessions.close(), "close");
        const later = await start(time, ["n3"], { ...options, network });
        const [d] = later.nodes;
        if (isKilled) {
          network.stop("n0");
          await pass(time, MEMORY_MS + LEASE_MS);
        }
        const second = d!.open("s", {
          expect: { lastEventId: positionOf(first.client) },
        });
        await settled(time, second.created, "create");
        void d!.sessions.streams.send(undefined, "data: received\n\n");
        await pass(time, 20);
        second.client.cancel();
        void d!.sessions.streams.send(undefined, "data: new\n\n");
        await pass(time, 20);
        const third = b!.open("s", {
          expect: { lastEventId: positionOf(second.client) },
        });
        await settled(time, third.created, "create");
        assertEquals(dataOf(third.client), ["new"]);
        await stop(time, [a!, b!, d!]);
      }),
    );
  }

  it(
    "S14 a broadcast comes once to a client that was on a node that missed it",
    usingFakeTime(async (time) => {
      const names = ["n0", "n1", "n2", "n3"];
      const { network, nodes } = await start(time, names, options);
      const [a, b, c, d] = nodes;
      const first = a!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      network.partition([["n2"]]);
      void d!.sessions.streams.send(undefined, "data: old\n\n");
      await pass(time, 20);
      assertEquals(dataOf(first.client), ["old"]);
      network.stop("n3");
      await pass(time, 2 * LEASE_MS);
      network.heal();
      await pass(time, 2 * LEASE_MS);
      const second = c!.open("s", {
        expect: { lastEventId: positionOf(first.client) },
      });
      await settled(time, second.created, "create");
      void c!.sessions.streams.send(undefined, "data: received\n\n");
      await pass(time, 20);
      assertEquals(dataOf(second.client), ["received"]);
      const third = b!.open("s", {
        expect: { lastEventId: positionOf(second.client) },
      });
      await settled(time, third.created, "create");
      assertEquals(dataOf(third.client), []);
      await stop(time, nodes);
    }),
  );

  it(
    "S13 a stream that is being taken over ends when its node closes",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork({ delayMs: [20, 20] });
      const { nodes } = await start(time, ["n0", "n1"], {
        ...options,
        network,
      });
      const [a, b] = nodes;
      // Without a stream that takes time to end, the drain would be over at
      // once.
      const other = a!.open("other", { kind: "unbuffered" });
      await settled(time, other.created, "create");
      void a!.sessions.streams.send(["other"], "data: other\n\n");
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      const lastEventId = positionOf(first.client);
      const second = a!.open("s", { expect: { lastEventId } });
      const created = second.created.catch(() => {});
      const closing = a!.sessions.close({ drainMs: 500 });
      await settled(time, Promise.all([closing, created]), "close");
      await pass(time, 50);
      assertEquals(second.client.ended, "closed");
      assertEquals(await b!.sessions.streams.has("s"), false);
      await stop(time, nodes);
    }),
  );

  for (const replay of [{}, false] as const) {
    const how = replay ? "with replay" : "without replay";
    it(
      `S4 the late cancel of a drained stream does not end a newer one, ${how}`,
      usingFakeTime(async (time) => {
        const { nodes } = await start(time, ["n0", "n1"], {
          streams: { replay },
        });
        const [a, b] = nodes;
        // Its client does not read, so it still holds something at the end.
        const older = b!.open("s", { kind: "unbuffered" });
        await settled(time, older.created, "create");
        void a!.sessions.streams.send(["s"], "data: one\n\n");
        await pass(time, 20);
        assert(older.client.holds, "The event was not received.");
        const closing = b!.sessions.close({ drainMs: 1_000 });
        await pass(time, 300);
        assertEquals(await views(time, nodes, "s"), [false, false]);
        const newer = a!.open("s");
        await settled(time, newer.created, "create");
        await pass(time, 20);
        older.client.cancel();
        await pass(time, 50);
        assertEquals(await views(time, nodes, "s"), [true, true]);
        void a!.sessions.streams.send(["s"], "data: two\n\n");
        await pass(time, 20);
        assertEquals(newer.client.ended, undefined);
        assertEquals(dataOf(newer.client), ["two"]);
        await settled(time, closing, "drain");
        await stop(time, nodes);
      }),
    );
  }

  it(
    "S14 an intent is for one stream, also if it waits for missed events",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes;
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      const { streams } = a!.sessions;
      const { controller } = openStream();
      streams.prepareStream("s", { lastEventId: positionOf(first.client) });
      await settled(time, streams.create("s", controller), "create");
      assertEquals(await views(time, nodes, "s"), [true, true]);
      await stop(time, nodes);
    }),
  );
});
