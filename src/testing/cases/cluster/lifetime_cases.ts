import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  holds,
  nameOf,
} from "../../support/cluster_context.ts";
import { frame } from "../../support/test_client.ts";

/** So rarely that nothing in a test is due to it. */
const NEVER = { heartbeatMs: 60_000 };

/** How nodes go, and come back. */
export const clusterLifetimeCases: readonly ClusterCase[] = [
  {
    behaviour: "C6",
    name: "a node knows its own name, and those that are there",
    run: async ({ join }) => {
      const names = ["one", "two", "three"].map((name) =>
        `${name} ${crypto.randomUUID()}`
      );
      const nodes = [];
      for (const node of names) nodes.push(await join({ cluster: { node } }));
      // The last one knows all, now that it is ready.
      deepStrictEqual(
        nodes[2]!.nodes().map(({ name }) => name).sort(),
        [...names].sort(),
      );
      for (const [at, node] of nodes.entries()) {
        strictEqual(nameOf(node), names[at]);
      }
    },
  },
  {
    behaviour: "C6",
    name: "the streams of a node that is closed are gone at once, everywhere",
    run: async ({ join, within }) => {
      const options = { cluster: NEVER };
      const nodes = [await join(options), await join(options)];
      const leaver = await join(options);
      const stream = await attach(leaver, "s");
      await leaver.info.setLogLevel("s", "info");
      await within(leaver.close(), "close");
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
      for (const node of nodes) {
        await holds(
          within,
          async () => !await node.streams.has("s"),
          "the stream to be gone",
        );
        await holds(
          within,
          () => node.nodes().length === 2,
          "the node to be gone",
        );
        // The session itself goes on: its client can open a stream elsewhere.
        strictEqual(await node.info.getLogLevel("s"), "info");
      }
      const again = await attach(nodes[0]!, "s");
      await nodes[1]!.streams.send(["s"], frame("again"));
      strictEqual((await within(again.take(), "a text"))[0]!.data, "again");
    },
  },
  {
    behaviour: "C6",
    name: "the streams of a node that died vanish when its lease is over",
    needs: "kill",
    run: async ({ join, kill, within }) => {
      const options = { cluster: { heartbeatMs: 50 } };
      const nodes = [await join(options), await join(options)];
      const victim = await join(options);
      await attach(victim, "s");
      await attach(victim, "moves");
      await victim.info.setLogLevel("s", "info");
      for (const { streams } of nodes) {
        await holds(within, () => streams.has("s"), "the stream to be known");
      }
      await kill(victim);
      // Nobody has to wait for the lease to open a stream elsewhere.
      const moved = await within(attach(nodes[0]!, "moves"), "create");
      for (const node of nodes) {
        await holds(
          within,
          async () => !await node.streams.has("s"),
          "the stream to be gone",
        );
        await holds(
          within,
          () => node.nodes().every(({ name }) => name !== nameOf(victim)),
          "the node to be gone",
        );
        strictEqual(await node.info.getLogLevel("s"), "info");
      }
      await holds(
        within,
        () => nodes.every((node) => node.nodes().length === 2),
        "the nodes that are left",
      );
      await holds(within, () => nodes[1]!.streams.has("moves"), "the other");
      await nodes[1]!.streams.send(["moves"], frame("again"));
      strictEqual((await within(moved.take(), "a text"))[0]!.data, "again");
    },
  },
  {
    behaviour: "C6",
    name: "a node that takes the name of a dead one takes its place at once",
    needs: "kill",
    run: async ({ join, kill, within }) => {
      const watcher = await join({ cluster: NEVER });
      const node = `reborn ${crypto.randomUUID()}`;
      const options = { cluster: { ...NEVER, node } };
      const first = await join(options);
      await attach(first, "old");
      await attach(first, "back");
      ok(await watcher.streams.has("old"));
      await kill(first);
      const second = await join(options);
      const stream = await attach(second, "back");
      for (const each of [watcher, second]) {
        await holds(
          within,
          async () => !await each.streams.has("old"),
          "the ghost to be gone",
        );
        strictEqual(await each.streams.has("back"), true);
        strictEqual(each.nodes().length, 2);
      }
      await watcher.streams.send(["old", "back"], frame("some"));
      await watcher.streams.send(undefined, frame("all"));
      const got = await within(stream.take(2), "what is for the new stream");
      deepStrictEqual(got.map(({ data }) => data), ["some", "all"]);
    },
  },
];
