import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  nodeName,
} from "../../support/cluster_context.ts";
import { frame } from "../../support/test_client.ts";

/** Longer than any test: nothing that happens is due to a missed heartbeat. */
const NEVER = { heartbeatMs: 60_000 };

/** How nodes leave, crash and come back. */
export const clusterLifetimeCases: readonly ClusterCase[] = [
  {
    behaviour: "C6",
    name: "nodes() lists the node itself and all others",
    run: async ({ addNode }) => {
      const names = ["one", "two", "three"].map((name) =>
        `${name} ${crypto.randomUUID()}`
      );
      const nodes = [];
      for (const node of names) {
        nodes.push(await addNode({ cluster: { node } }));
      }
      // A node that is ready knows the nodes that joined before it.
      deepStrictEqual(
        nodes[2]!.nodes().map(({ name }) => name).sort(),
        [...names].sort(),
      );
      for (const [at, node] of nodes.entries()) {
        strictEqual(nodeName(node), names[at]);
      }
    },
  },
  {
    behaviour: "C6",
    name: "when a node closes, its streams are gone on every node at once",
    run: async ({ addNode, within, waitUntil }) => {
      const options = { cluster: NEVER };
      const nodes = [await addNode(options), await addNode(options)];
      const leaving = await addNode(options);
      const stream = await attach(leaving, "s");
      await leaving.info.setLogLevel("s", "info");
      await within(leaving.close(), "close() to resolve");
      strictEqual(
        (await within(stream.end(), "the end of the stream")).ended,
        "closed",
      );
      for (const node of nodes) {
        await waitUntil(
          async () => !await node.streams.has("s"),
          "has() to be false",
        );
        await waitUntil(
          () => node.nodes().length === 2,
          "nodes() not to list the node",
        );
        // The session itself survives: its client can open a stream elsewhere.
        strictEqual(await node.info.getLogLevel("s"), "info");
      }
      const again = await attach(nodes[0]!, "s");
      await nodes[1]!.streams.send(["s"], frame("after"));
      strictEqual((await within(again.take(), "an event"))[0]!.data, "after");
    },
  },
  {
    behaviour: "C6",
    name: "when a node crashes, its streams are gone after its lease",
    requires: "kill",
    run: async ({ addNode, kill, within, waitUntil }) => {
      const options = { cluster: { heartbeatMs: 50 } };
      const nodes = [await addNode(options), await addNode(options)];
      const victim = await addNode(options);
      await attach(victim, "s");
      await attach(victim, "moves");
      await victim.info.setLogLevel("s", "info");
      for (const { streams } of nodes) {
        await waitUntil(() => streams.has("s"), "has() to be true");
      }
      await kill(victim);
      // A client can open a stream elsewhere before the lease ends.
      const moved = await within(
        attach(nodes[0]!, "moves"),
        "create() to resolve",
      );
      for (const node of nodes) {
        await waitUntil(
          async () => !await node.streams.has("s"),
          "has() to be false",
        );
        await waitUntil(
          () => node.nodes().every(({ name }) => name !== nodeName(victim)),
          "nodes() not to list the node",
        );
        strictEqual(await node.info.getLogLevel("s"), "info");
      }
      await waitUntil(
        () => nodes.every((node) => node.nodes().length === 2),
        "nodes() to list the two that are left",
      );
      await waitUntil(() => nodes[1]!.streams.has("moves"), "has() to be true");
      await nodes[1]!.streams.send(["moves"], frame("after"));
      strictEqual((await within(moved.take(), "an event"))[0]!.data, "after");
    },
  },
  {
    behaviour: "C6",
    name: "a node with the name of a crashed one replaces it at once",
    requires: "kill",
    run: async ({ addNode, kill, within, waitUntil }) => {
      const observer = await addNode({ cluster: NEVER });
      const node = `restarted ${crypto.randomUUID()}`;
      const options = { cluster: { ...NEVER, node } };
      const first = await addNode(options);
      await attach(first, "old");
      await attach(first, "back");
      ok(await observer.streams.has("old"));
      await kill(first);
      const second = await addNode(options);
      const stream = await attach(second, "back");
      for (const each of [observer, second]) {
        await waitUntil(
          async () => !await each.streams.has("old"),
          "has() to be false",
        );
        strictEqual(await each.streams.has("back"), true);
        strictEqual(each.nodes().length, 2);
      }
      await observer.streams.send(["old", "back"], frame("some"));
      await observer.streams.send(undefined, frame("all"));
      const got = await within(stream.take(2), "two events");
      deepStrictEqual(got.map(({ data }) => data), ["some", "all"]);
    },
  },
];
