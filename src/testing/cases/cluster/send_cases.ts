import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import type { TestableClusterNode } from "../../support/cluster_node.ts";
import { inBackground, nextTurn } from "../../support/timing.ts";
import { frame } from "../../support/test_client.ts";
import { TestStream } from "../../support/test_stream.ts";

const MIB = 2 ** 20;

/** Frames sent on one node and read on others. */
export const clusterSendCases: readonly ClusterCase[] = [
  {
    behaviour: "C1",
    name: "a send reaches the streams of every node once",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const streams = await forEachNode(nodes, (node, at) =>
        Promise.all([
          attach(node, `s${at}`),
          attach(node, `other${at}`),
        ]));
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(undefined, frame(`all from ${at}`));
        const ids = ["s0", "s1", "unknown", "s2", "s1"];
        await node.streams.send(ids, frame(`some from ${at}`));
        await node.streams.send([], frame("no recipient"));
        await node.streams.send([`s${at}`], frame(`own from ${at}`));
      }
      for (const [at, [stream, other]] of streams.entries()) {
        const some = [0, 1, 2].flatMap((from) => [
          `all from ${from}`,
          `some from ${from}`,
          ...from === at ? [`own from ${from}`] : [],
        ]);
        const all = some.filter((data) => data.startsWith("all"));
        const got = await within(
          stream.take(some.length),
          `the events of s${at}`,
        );
        deepStrictEqual(got.map(({ data }) => data).sort(), some.sort());
        const others = await within(other.take(all.length), "the broadcasts");
        deepStrictEqual(others.map(({ data }) => data).sort(), all);
      }
      // Duplicates would arrive before these.
      for (const node of nodes) {
        await node.streams.send(undefined, frame("last"));
      }
      for (const stream of streams.flat()) {
        const got = await within(stream.take(3), "the last three events");
        deepStrictEqual(got.map(({ data }) => data), ["last", "last", "last"]);
      }
      for (const [at, node] of nodes.entries()) {
        await node.streams.delete(`s${at}`);
        const end = await within(
          streams[at]![0].end(),
          "the end of the stream",
        );
        deepStrictEqual(end, { ended: "closed", data: [] });
      }
    },
  },
  {
    behaviour: "C2",
    name: "a session receives what one node sends in call order",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const [first, second] = await forEachNode(
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
          const data = frame(`${from} ${count}`);
          const sending = inBackground(nodes[from]!.streams.send(ids, data));
          if (count % 7 === 0) await sending;
          else sent.push(sending);
        }
        // Some sends share a turn of the event loop, others do not.
        if (count % 50 === 49) await nextTurn();
      }
      await within(Promise.all(sent), "the sends to resolve");
      for (const [stream, skips] of [[first!, 3], [second!, 1]] as const) {
        const counts = Array.from({ length: 300 }, (_, count) => count)
          .filter((count) => count % 3 !== skips);
        const got = await within(stream.take(2 * counts.length), "the events");
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
    name: "a burst of 20,000 sends in one turn arrives in full",
    run: async ({ addNodes, within }) => {
      const [here, there] = await addNodes(2);
      const stream = await attach(there!, "s");
      const reading = inBackground(stream.take(20_000));
      const sent: unknown[] = [];
      for (let count = 0; count < 20_000; count++) {
        const ids = count % 2 ? ["s"] : undefined;
        sent.push(inBackground(here!.streams.send(ids, frame(`${count}`))));
      }
      await within(Promise.all(sent), "the sends to resolve");
      const got = await within(reading, "20,000 events");
      ok(
        got.every(({ data }, count) => data === `${count}`),
        "The events are not in call order",
      );
    },
  },
  {
    behaviour: "C10",
    name: "frames arrive once and in order, or their loss is reported",
    run: async ({ addNode, waitUntil }) => {
      const errors: Error[] = [];
      const onError = (error: Error) => errors.push(error);
      const nodes: TestableClusterNode[] = [];
      while (nodes.length < 3) nodes.push(await addNode({ onError }));
      const streams = await forEachNode(nodes, async (node, at) => {
        const stream = new TestStream();
        await node.streams.create(`s${at}`, stream.controller);
        return stream.follow();
      });
      for (let count = 0; count < 100; count++) {
        for (const [from, { streams }] of nodes.entries()) {
          const ids = count % 2 ? ["s0", "s1", "s2"] : undefined;
          void inBackground(streams.send(ids, frame(`${from} ${count}`)));
        }
        if (count % 5 === 4) await nextTurn();
      }
      const isLost = () =>
        errors.length > 0 ||
        nodes.some((node) => node.stats().cluster.lost > 0);
      await waitUntil(
        () => isLost() || streams.every(({ events }) => events.length >= 300),
        "300 events a stream, or a report of lost ones",
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
    name: "a frame of 1 MiB arrives unchanged",
    run: async ({ addNodes, within }) => {
      const [here, there] = await addNodes(2);
      const stream = await attach(there!, "s");
      const texts = ["x".repeat(MIB), "\u{1f600}".repeat(MIB / 4), "small"];
      for (const [count, text] of texts.entries()) {
        await here!.streams.send(count % 2 ? ["s"] : undefined, frame(text));
        const [event] = await within(stream.take(), `event ${count}`);
        // A comparison that prints both would print megabytes.
        ok(event!.data === text, `Event ${count} was changed in transit`);
      }
    },
  },
  {
    behaviour: "C12",
    name: "a send to 100,000 session IDs reaches the sessions that exist",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const streams = await forEachNode(
        nodes,
        (node, at) => attach(node, `s${at * 40_000}`),
      );
      const others = await forEachNode(
        nodes,
        (node, at) => attach(node, `other${at}`),
      );
      const ids = Array.from({ length: 100_000 }, (_, at) => `s${at}`);
      await within(
        nodes[0]!.streams.send(ids, frame("some")),
        "send() to resolve",
      );
      await nodes[0]!.streams.send(undefined, frame("all"));
      for (const stream of streams) {
        deepStrictEqual(await within(stream.until("all"), "the broadcast"), [
          "some",
        ]);
      }
      for (const stream of others) {
        const [event] = await within(stream.take(), "the broadcast");
        strictEqual(event!.data, "all");
      }
    },
  },
];
