import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { resetCounts } from "../support/empty_stats.ts";
import { usingFakeTime } from "../support/streams.ts";
import { dataOf, start, stop, views } from "./support/test_node.ts";
import { LEASE_MS, MEMORY_MS, pass, settled } from "./support/timing.ts";

describe("ClusterSessions: a node that is unreachable for a while", () => {
  for (const isReplayed of [false, true]) {
    const how = isReplayed ? "with replay" : "without replay";
    it(
      `C7 messages for its sessions are kept in order ${how}`,
      usingFakeTime(async (time) => {
        const streams = { replay: isReplayed && {} };
        const { network, nodes } = await start(time, ["n0", "n1", "n2"], {
          streams,
        });
        const [a, b, c] = nodes;
        const { client, created } = b!.open("s");
        await settled(time, created, "create");
        network.partition([["n1"]]);
        await pass(time, 2 * LEASE_MS);
        assertEquals(await views(time, nodes, "s"), [false, true, false]);
        const sent: string[] = [];
        for (let count = 0; count < 5; count++) {
          sent.push(`chosen ${count}`, `all ${count}`);
          const { streams } = a!.sessions;
          void streams.send(["s", "nobody"], `data: chosen ${count}\n\n`);
          void streams.send(undefined, `data: all ${count}\n\n`);
          await pass(time, 10);
        }
        // Nor does another sender wait for the first one.
        void c!.sessions.streams.send(["s"], "data: of another\n\n");
        await pass(time, MEMORY_MS / 4);
        assertEquals(dataOf(client), []);
        network.heal();
        await pass(time, 2 * LEASE_MS);
        const texts = dataOf(client);
        assertEquals(texts.filter((text) => text !== "of another"), sent);
        assertEquals(texts.length, sent.length + 1);
        assertEquals(await views(time, nodes, "s"), [true, true, true]);
        for (const { sessions, errors } of nodes) {
          assertEquals(sessions.stats().cluster.lost, 0);
          assertEquals(errors, []);
        }
        await stop(time, nodes);
      }),
    );
  }

  it(
    "C7 its sessions are removed when it is forgotten, and added again when it is back",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"]);
      const [a, b] = nodes;
      const { client, created } = b!.open("s");
      await settled(time, created, "create");
      network.partition([["n1"]]);
      await pass(time, 2 * MEMORY_MS);
      assertEquals(await a!.isAttached("s"), false);
      network.heal();
      await pass(time, 2 * LEASE_MS);
      assertEquals(await views(time, nodes, "s"), [true, true]);
      void a!.sessions.streams.send(["s"], "data: back\n\n");
      await pass(time, 20);
      assertEquals(dataOf(client).at(-1), "back");
      await stop(time, nodes);
    }),
  );

  it(
    "C19 the open streams of nodes that have removed each other are reset, once",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1", "n2", "n3"]);
      const [a, b, c, d] = nodes;
      const opened = [a!, b!, c!, d!].map((node, at) => node.open(`s${at}`));
      for (const { created } of opened) await settled(time, created, "create");
      network.partition([["n0", "n1", "n2"], ["n3"]]);
      await pass(time, 2 * MEMORY_MS);
      for (const [at, node] of nodes.entries()) {
        void node.sessions.streams.send(undefined, `data: ${at}\n\n`);
      }
      await pass(time, 20);
      network.heal();
      await pass(time, 20 * LEASE_MS);
      void a!.sessions.streams.send(undefined, "data: last\n\n");
      await pass(time, 20);
      const reset = '{"reason":"purged"}';
      for (const { client } of opened.slice(0, 3)) {
        const [first, second, third, ...rest] = dataOf(client);
        assertEquals([first, second, third].sort(), ["0", "1", "2"]);
        assertEquals(rest, [reset, "last"]);
      }
      assertEquals(dataOf(opened[3]!.client), ["3", reset, "last"]);
      for (const { sessions } of nodes) {
        assertEquals(sessions.stats().resets, resetCounts({ purged: 1 }));
      }
      await stop(time, nodes);
    }),
  );
});
