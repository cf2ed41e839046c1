import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  forEachNode,
  openStream,
} from "../../support/cluster_context.ts";
import type { TestableClusterNode } from "../../support/cluster_node.ts";
import { inBackground, nextTurn } from "../../support/timing.ts";
import { frame } from "../../support/test_client.ts";

/** Streams of sessions, as every node sees them. */
export const clusterSessionCases: readonly ClusterCase[] = [
  {
    behaviour: "C3",
    name: "has and delete work from any node",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      for (const [at, owner] of nodes.entries()) {
        for (const [by, deleter] of nodes.entries()) {
          const id = `s${at}-${by}`;
          deepStrictEqual(await has(nodes, id), [false, false, false]);
          const stream = await attach(owner, id);
          deepStrictEqual(await has(nodes, id), [true, true, true], id);
          await owner.streams.send([id], frame("before delete"));
          await within(deleter.streams.delete(id), "delete() to resolve");
          deepStrictEqual(
            await within(stream.end(), "the end of the stream"),
            { ended: "closed", data: ["before delete"] },
          );
          deepStrictEqual(await has(nodes, id), [false, false, false], id);
          await within(
            deleter.streams.delete(id),
            "a second delete() to resolve",
          );
        }
      }
    },
  },
  {
    behaviour: "C4",
    name: "once create or delete has resolved, every node knows",
    run: async ({ addNodes }) => {
      const nodes = await addNodes(3);
      for (let round = 0; round < 15; round++) {
        const owner = nodes[round % 3]!;
        const other = nodes[(round + 1) % 3]!;
        const id = `s${round}`;
        await attach(owner, id);
        strictEqual(await other.streams.has(id), true, `${id} was created`);
        await (round % 2 ? owner : other).streams.delete(id);
        for (const { streams } of nodes) {
          strictEqual(await streams.has(id), false, `${id} was deleted`);
        }
      }
    },
  },
  {
    behaviour: "C5",
    name: "a newer stream replaces one on another node",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      let older = await attach(nodes[0]!, "s");
      for (const at of [1, 2, 0, 1]) {
        const newer = await attach(nodes[at]!, "s");
        await within(older.end(), "the end of the older stream");
        deepStrictEqual(await has(nodes, "s"), [true, true, true]);
        for (const [from, { streams }] of nodes.entries()) {
          await streams.send(["s"], frame(`to ${at} from ${from}`));
        }
        const got = await within(newer.take(3), "three events");
        deepStrictEqual(
          got.map(({ data }) => data).sort(),
          [0, 1, 2].map((from) => `to ${at} from ${from}`),
        );
        older = newer;
      }
    },
  },
  {
    behaviour: "C5",
    name: "of concurrent streams of one session, exactly one stays",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(3);
      const ids = Array.from({ length: 10 }, (_, at) => `s${at}`);
      const created: Promise<unknown>[] = [];
      const rivals = ids.map((id) =>
        nodes.map((node) => {
          const { controller, events } = openStream();
          const rival = { isOver: false, end: inBackground(events.end()) };
          void rival.end.then(() => rival.isOver = true);
          created.push(inBackground(node.streams.create(id, controller)));
          return rival;
        })
      );
      // create() of a stream that is replaced may reject.
      await within(Promise.allSettled(created), "create() to settle");
      await waitUntil(
        () =>
          rivals.every((of) => of.filter(({ isOver }) => isOver).length >= 2),
        "two of three streams to end",
      );
      await waitUntil(async () => {
        const all = await Promise.all(ids.map((id) => has(nodes, id)));
        return all.flat().every(Boolean);
      }, "has() to be true on every node");
      for (const [from, { streams }] of nodes.entries()) {
        await streams.send(ids, frame(`${from}`));
        await streams.send(undefined, frame(`${from} to all`));
      }
      // A delete can only overtake what other nodes sent, so wait for that.
      await waitUntil(
        () =>
          nodes.reduce((sum, node) => sum + node.stats().delivered, 0) >= 60,
        "all frames to be delivered",
      );
      for (const id of ids) await nodes[0]!.streams.delete(id);
      for (const of of rivals) {
        const ends = await within(
          Promise.all(of.map(({ end }) => end)),
          "all streams to end",
        );
        const received = ends.map(({ data }) => data.sort().join());
        deepStrictEqual(
          received.sort(),
          ["", "", "0,0 to all,1,1 to all,2,2 to all"],
        );
      }
    },
  },
  {
    behaviour: "C9",
    name: "a node that joins during constant updates converges",
    run: async ({ addNodes, addNode, within, waitUntil }) => {
      const nodes = await addNodes(2);
      let isBusy = true;
      // Each node updates its own sessions, so the last update is known.
      const expected = new Map<string, string>();
      const work = async (node: TestableClusterNode, at: number) => {
        for (let round = 0; isBusy; round++) {
          const id = `s${at}-${round % 8}`;
          await change(node, id, round, expected);
          if (round % 3 === 0) await nextTurn();
        }
      };
      const working = nodes.map((node, at) => inBackground(work(node, at)));
      const late: TestableClusterNode[] = [];
      while (late.length < 2) {
        late.push(await addNode());
        await nextTurn();
      }
      isBusy = false;
      await within(Promise.all(working), "the last updates to resolve");
      const ids = [...expected.keys()].sort();
      ok(ids.length > 0, "Nothing was updated");
      for (const node of [...nodes, ...late]) {
        const isEqual = async () => {
          for (const id of ids) {
            if (await view(node, id) !== expected.get(id)) return false;
          }
          return true;
        };
        await waitUntil(isEqual, "a node to have the state of the others");
      }
    },
  },
  {
    behaviour: "C16",
    name: "nodes and sessions that come and go leave nothing behind",
    run: async ({ addNodes, addNode, waitUntil }) => {
      const nodes = await addNodes(2);
      for (let round = 0; round < 5; round++) {
        const guest = await addNode();
        await attach(guest, `s${round}`);
        await guest.info.setLogLevel(`s${round}`, "info");
        await guest.info.delete(`s${round}`);
        await guest.close();
      }
      await waitUntil(
        () => nodes.every((node) => node.nodes().length === 2),
        "nodes() to list the two that are left",
      );
      for (let round = 0; round < 5; round++) {
        deepStrictEqual(await has(nodes, `s${round}`), [false, false]);
      }
      strictEqual(nodes[0]!.stats().attached, 0);
      strictEqual(nodes[1]!.stats().attached, 0);
    },
  },
];

/** The results of `has` on every node. */
function has(
  nodes: readonly TestableClusterNode[],
  id: string,
): Promise<boolean[]> {
  return forEachNode(nodes, ({ streams }) => streams.has(id));
}

/** Makes one of several changes to a session, and records the new state. */
async function change(
  node: TestableClusterNode,
  id: string,
  round: number,
  expected: Map<string, string>,
): Promise<void> {
  switch (Math.floor(round / 8) % 4) {
    case 0:
      await attach(node, id);
      break;
    case 1:
      await node.info.setLogLevel(id, round % 2 ? "info" : "error");
      break;
    case 2:
      await node.info.addSubscription(id, `file:///${round % 3}`);
      await node.streams.delete(id);
      break;
    case 3:
      await node.info.delete(id);
  }
  expected.set(id, await view(node, id));
}

/** The state of a session on a node, as a string. */
async function view({ streams, info }: TestableClusterNode, id: string) {
  const uris: number[] = [];
  for (const uri of [0, 1, 2]) {
    const ids = await info.getSubscriptions(`file:///${uri}`);
    if (ids.includes(id)) uris.push(uri);
  }
  const level = await info.getLogLevel(id).catch(() => "none");
  return `${await streams.has(id)} ${level} ${uris}`;
}
