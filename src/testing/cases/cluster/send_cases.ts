import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  eachNode,
  holds,
} from "../../support/cluster_context.ts";
import type { TestableClusterNode } from "../../support/cluster_node.ts";
import { nextTurn, started } from "../../suites/suite.ts";
import { frame } from "../../support/test_client.ts";
import { TestStream } from "../../support/test_stream.ts";

const MIB = 2 ** 20;

/** What is written on one node, and read on others. */
export const clusterSendCases: readonly ClusterCase[] = [
  {
    behaviour: "C1",
    name: "what any node sends reaches the streams of all, once",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const streams = await eachNode(nodes, (node, at) =>
        Promise.all([
          attach(node, `s${at}`),
          attach(node, `other${at}`),
        ]));
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(undefined, frame(`all from ${at}`));
        const ids = ["s0", "s1", "nobody", "s2", "s1"];
        await node.streams.send(ids, frame(`some from ${at}`));
        await node.streams.send([], frame("nobody"));
        await node.streams.send([`s${at}`], frame(`own from ${at}`));
      }
      for (const [at, [stream, other]] of streams.entries()) {
        const some = [0, 1, 2].flatMap((from) => [
          `all from ${from}`,
          `some from ${from}`,
          ...from === at ? [`own from ${from}`] : [],
        ]);
        const all = some.filter((text) => text.startsWith("all"));
        const got = await within(stream.take(some.length), `what s${at} gets`);
        deepStrictEqual(got.map(({ data }) => data).sort(), some.sort());
        const others = await within(other.take(all.length), "what others get");
        deepStrictEqual(others.map(({ data }) => data).sort(), all);
      }
      // Whatever comes twice has come when all of these have.
      for (const node of nodes) {
        await node.streams.send(undefined, frame("last"));
      }
      for (const stream of streams.flat()) {
        const got = await within(stream.take(3), "the last words");
        deepStrictEqual(got.map(({ data }) => data), ["last", "last", "last"]);
      }
      for (const [at, node] of nodes.entries()) {
        await node.streams.delete(`s${at}`);
        const end = await within(streams[at]![0].end(), "the end");
        deepStrictEqual(end, { ended: "closed", texts: [] });
      }
    },
  },
  {
    behaviour: "C2",
    name: "what one node sends to a session arrives in the order of the calls",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const [first, second] = await eachNode(
        nodes,
        (node, at) => attach(node, `s${at}`),
      );
      const sent: unknown[] = [];
      for (let count = 0; count < 300; count++) {
        for (const from of [1, 2]) {
          const ids = count % 3 === 0
            ? undefined
            : count % 3 === 1
            ? ["s0"]
            : ["s1", "s0"];
          const text = frame(`${from} ${count}`);
          const sending = started(nodes[from]!.streams.send(ids, text));
          if (count % 7 === 0) await sending;
          else sent.push(sending);
        }
        // Some leave in the same turn of the event loop, others do not.
        if (count % 50 === 49) await nextTurn();
      }
      await within(Promise.all(sent), "the sends");
      for (const [stream, skips] of [[first!, 3], [second!, 1]] as const) {
        const counts = Array.from({ length: 300 }, (_, count) => count)
          .filter((count) => count % 3 !== skips);
        const got = await within(stream.take(2 * counts.length), "the texts");
        for (const from of ["1", "2"]) {
          deepStrictEqual(
            got.map(({ data }) => data.split(" "))
              .filter(([sender]) => sender === from)
              .map(([, count]) => Number(count)),
            counts,
          );
        }
      }
    },
  },
  {
    behaviour: "C8",
    name: "20,000 texts of one turn all arrive",
    run: async ({ joinAll, within }) => {
      const [here, there] = await joinAll(2);
      const stream = await attach(there!, "s");
      const reading = started(stream.take(20_000));
      const sent: unknown[] = [];
      for (let count = 0; count < 20_000; count++) {
        const ids = count % 2 ? ["s"] : undefined;
        sent.push(started(here!.streams.send(ids, frame(`${count}`))));
      }
      await within(Promise.all(sent), "the sends");
      const got = await within(reading, "20,000 texts");
      ok(
        got.every(({ data }, count) => data === `${count}`),
        "The texts are not in order",
      );
    },
  },
  {
    behaviour: "C10",
    name: "texts arrive once and in order, or their loss is reported",
    run: async ({ join, within }) => {
      const errors: Error[] = [];
      const onError = (error: Error) => errors.push(error);
      const nodes: TestableClusterNode[] = [];
      while (nodes.length < 3) nodes.push(await join({ onError }));
      const streams = await eachNode(nodes, async (node, at) => {
        const stream = new TestStream();
        await node.streams.create(`s${at}`, stream.controller);
        return stream.follow();
      });
      for (let count = 0; count < 100; count++) {
        for (const [from, { streams }] of nodes.entries()) {
          const ids = count % 2 ? ["s0", "s1", "s2"] : undefined;
          void started(streams.send(ids, frame(`${from} ${count}`)));
        }
        if (count % 5 === 4) await nextTurn();
      }
      const isLost = () =>
        errors.length > 0 ||
        nodes.some((node) => node.stats().cluster.lost > 0);
      await holds(
        within,
        () => isLost() || streams.every(({ events }) => events.length >= 300),
        "all texts, or word that some are lost",
      );
      for (const { events } of streams) {
        for (const from of nodes.keys()) {
          const counts = events.map(({ data }) => data.split(" "))
            .filter(([sender]) => sender === `${from}`)
            .map(([, count]) => Number(count));
          const expected = isLost()
            ? [...new Set(counts)].sort((a, b) => a - b)
            : Array.from({ length: 100 }, (_, count) => count);
          deepStrictEqual(counts, expected);
        }
      }
    },
  },
  {
    behaviour: "C12",
    name: "a text of 1 MiB arrives as it was sent",
    run: async ({ joinAll, within }) => {
      const [here, there] = await joinAll(2);
      const stream = await attach(there!, "s");
      const texts = ["x".repeat(MIB), "\u{1f600}".repeat(MIB / 4), "small"];
      for (const [count, text] of texts.entries()) {
        await here!.streams.send(count % 2 ? ["s"] : undefined, frame(text));
        const [event] = await within(stream.take(), `text ${count}`);
        // Not by a comparison that prints both.
        ok(event!.data === text, `Text ${count} arrives as another one`);
      }
    },
  },
  {
    behaviour: "C12",
    name: "a text for 100,000 sessions reaches those that there are",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const streams = await eachNode(
        nodes,
        (node, at) => attach(node, `s${at * 40_000}`),
      );
      const others = await eachNode(
        nodes,
        (node, at) => attach(node, `other${at}`),
      );
      const ids = Array.from({ length: 100_000 }, (_, at) => `s${at}`);
      await within(nodes[0]!.streams.send(ids, frame("some")), "send");
      await nodes[0]!.streams.send(undefined, frame("all"));
      for (const stream of streams) {
        deepStrictEqual(await within(stream.until("all"), "both"), ["some"]);
      }
      for (const stream of others) {
        const [event] = await within(stream.take(), "what is for all");
        strictEqual(event!.data, "all");
      }
    },
  },
];
