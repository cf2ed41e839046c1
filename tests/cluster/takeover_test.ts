import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { faked, open } from "../support/streams.ts";
import {
  positionOf,
  start,
  stop,
  textsOf,
  views,
} from "./support/test_node.ts";
import { pass, settled } from "./support/timing.ts";

const options = { streams: { replay: {} } };

describe("ClusterSessions, with a session that moves,", () => {
  it(
    "S14 replay nothing that its client got before it left without a position",
    faked(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes;
      const send = async (text: string) => {
        void a!.sessions.streams.send(["s"], `data: ${text}\n\n`);
        void b!.sessions.streams.send(undefined, `data: ${text} to all\n\n`);
        await pass(time, 20);
      };
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      await send("one");
      assertEquals(textsOf(first.client).sort(), ["one", "one to all"]);
      // It begins anew elsewhere: what was before is none of its business.
      const second = a!.open("s", { expect: { prime: true } });
      await settled(time, second.created, "create");
      await send("two");
      assertEquals(textsOf(second.client).sort(), ["two", "two to all"]);
      second.client.cancel();
      await pass(time, 20);
      await send("three");
      const lastEventId = positionOf(second.client);
      const third = b!.open("s", { expect: { lastEventId, prime: true } });
      await settled(time, third.created, "create");
      await send("four");
      assertEquals(
        textsOf(third.client).sort(),
        ["four", "four to all", "three", "three to all"],
      );
      await stop(time, nodes);
    }),
  );

  it(
    "S14 replay what a client missed on an owner that the new node has not learned of",
    faked(async (time) => {
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
      assertEquals(textsOf(second.client), ["one"]);
      second.client.cancel();
      await send("two");
      // The takeover does not wait for a node that has nothing to do with it.
      network.partition([["n3"]]);
      const third = c!.open("s", {
        expect: { lastEventId: positionOf(second.client) },
      });
      await pass(time, 20);
      assertEquals(textsOf(third.client), ["two"]);
      network.heal();
      await settled(time, third.created, "create");
      await settled(time, second.created, "create");
      await send("three");
      assertEquals(textsOf(third.client), ["two", "three"]);
      assertEquals(c!.sessions.stats().resets, 0);
      await stop(time, nodes);
    }),
  );

  it(
    "S15 reset a stream as soon as the previous owner responds, without asking others",
    faked(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1", "n2"], options);
      const [a, b] = nodes;
      const first = a!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      // It would not respond for a while.
      network.partition([["n2"]]);
      const unknownId = `${"0".repeat(16)}-7`;
      const second = b!.open("s", { expect: { lastEventId: unknownId } });
      await pass(time, 20);
      assertEquals(b!.sessions.stats().resets, 1);
      assert(second.client.text.includes("event: reset"), second.client.text);
      network.heal();
      await settled(time, second.created, "create");
      await stop(time, nodes);
    }),
  );

  it(
    "S15 reset a stream at once when no node knows its session",
    faked(async (time) => {
      const { nodes } = await start(time, ["n0", "n1", "n2"], options);
      const unknownId = `${"0".repeat(16)}-7`;
      const { client } = nodes[1]!.open("s", {
        expect: { lastEventId: unknownId },
      });
      await pass(time, 20);
      assertEquals(nodes[1]!.sessions.stats().resets, 1);
      assert(client.text.includes("event: reset"), client.text);
      await stop(time, nodes);
    }),
  );

  it(
    "S14 keep what a client missed if it reconnects to two nodes at once",
    faked(async (time) => {
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
      assertEquals(textsOf(newer.client), ["missed"]);
      newer.client.cancel();
      await pass(time, 20);
      const last = b!.open("s", { expect });
      await settled(time, last.created, "create");
      assertEquals(textsOf(last.client), ["missed"]);
      assertEquals(b!.sessions.stats().resets, 0);
      await stop(time, nodes);
    }),
  );

  it(
    "S13 end a stream that is on its way to a node that closes",
    faked(async (time) => {
      const network = new LossyNetwork({ delayMs: [20, 20] });
      const { nodes } = await start(time, ["n0", "n1"], {
        ...options,
        network,
      });
      const [a, b] = nodes;
      // Without one that takes time to end, the drain is over at once.
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
      `S4 end no newer stream by the late cancel of one that was drained, ${how}`,
      faked(async (time) => {
        const { nodes } = await start(time, ["n0", "n1"], {
          streams: { replay },
        });
        const [a, b] = nodes;
        // Its client does not read, so it still holds something in the end.
        const older = b!.open("s", { kind: "unbuffered" });
        await settled(time, older.created, "create");
        void a!.sessions.streams.send(["s"], "data: one\n\n");
        await pass(time, 20);
        assert(older.client.holds, "It was not told.");
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
        assertEquals(textsOf(newer.client), ["two"]);
        await settled(time, closing, "drain");
        await stop(time, nodes);
      }),
    );
  }

  it(
    "S14 expect one stream only, also where what it missed is fetched",
    faked(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"], options);
      const [a, b] = nodes;
      const first = b!.open("s", { expect: { prime: true } });
      await settled(time, first.created, "create");
      const { streams } = a!.sessions;
      const { controller } = open();
      streams.prepareStream("s", { lastEventId: positionOf(first.client) });
      await settled(time, streams.create("s", controller), "create");
      assertEquals(await views(time, nodes, "s"), [true, true]);
      await stop(time, nodes);
    }),
  );
});
