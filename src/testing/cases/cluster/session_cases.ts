import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  attach,
  type ClusterCase,
  eachNode,
  holds,
  opened,
} from "../../support/cluster_context.ts";
import type { TestableClusterNode } from "../../support/cluster_node.ts";
import { nextTurn, started } from "../../suites/suite.ts";
import { frame } from "../../support/test_client.ts";

/** Where sessions are, as every node sees it. */
export const clusterSessionCases: readonly ClusterCase[] = [
  {
    behaviour: "C3",
    name: "has and delete work from any node",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      for (const [at, home] of nodes.entries()) {
        for (const [by, deleter] of nodes.entries()) {
          const id = `s${at}-${by}`;
          deepStrictEqual(await has(nodes, id), [false, false, false]);
          const stream = await attach(home, id);
          deepStrictEqual(await has(nodes, id), [true, true, true], id);
          await home.streams.send([id], frame("held"));
          await within(deleter.streams.delete(id), "delete");
          deepStrictEqual(
            await within(stream.end(), "the end of the stream"),
            { ended: "closed", texts: ["held"] },
          );
          deepStrictEqual(await has(nodes, id), [false, false, false], id);
          await within(deleter.streams.delete(id), "deleting it again");
        }
      }
    },
  },
  {
    behaviour: "C4",
    name: "once create or delete resolved, every node answers accordingly",
    run: async ({ joinAll }) => {
      const nodes = await joinAll(3);
      for (let round = 0; round < 15; round++) {
        const home = nodes[round % 3]!;
        const other = nodes[(round + 1) % 3]!;
        const id = `s${round}`;
        await attach(home, id);
        strictEqual(await other.streams.has(id), true, `${id} was created`);
        await (round % 2 ? home : other).streams.delete(id);
        for (const { streams } of nodes) {
          strictEqual(await streams.has(id), false, `${id} was deleted`);
        }
      }
    },
  },
  {
    behaviour: "C5",
    name: "a stream takes the place of one on another node",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      let older = await attach(nodes[0]!, "s");
      for (const at of [1, 2, 0, 1]) {
        const newer = await attach(nodes[at]!, "s");
        await within(older.end(), "the end of the older stream");
        deepStrictEqual(await has(nodes, "s"), [true, true, true]);
        for (const [from, { streams }] of nodes.entries()) {
          await streams.send(["s"], frame(`to ${at} from ${from}`));
        }
        const got = await within(newer.take(3), "what is for the newer one");
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
    name: "of streams that are created at once, exactly one stays",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const ids = Array.from({ length: 10 }, (_, at) => `s${at}`);
      const created: Promise<unknown>[] = [];
      const rivals = ids.map((id) =>
        nodes.map((node) => {
          const { controller, events } = opened();
          const rival = { isOver: false, end: started(events.end()) };
          void rival.end.then(() => rival.isOver = true);
          created.push(started(node.streams.create(id, controller)));
          return rival;
        })
      );
      // The one that gives way may be told so.
      await within(Promise.allSettled(created), "create");
      await holds(
        within,
        () =>
          rivals.every((of) => of.filter(({ isOver }) => isOver).length >= 2),
        "the end of two of three streams",
      );
      await holds(
        within,
        async () => {
          const all = await Promise.all(ids.map((id) => has(nodes, id)));
          return all.flat().every(Boolean);
        },
        "every node to know of every session",
      );
      for (const [from, { streams }] of nodes.entries()) {
        await streams.send(ids, frame(`${from}`));
        await streams.send(undefined, frame(`${from} to all`));
      }
      // What a node sent before it deletes a session has to arrive there first; what
      // others sent does not, so their texts are waited for.
      await holds(
        within,
        () =>
          nodes.reduce((sum, node) => sum + node.stats().delivered, 0) >= 60,
        "the texts",
      );
      for (const id of ids) await nodes[0]!.streams.delete(id);
      for (const of of rivals) {
        const ends = await within(
          Promise.all(of.map(({ end }) => end)),
          "the end of all streams",
        );
        const texts = ends.map(({ texts }) => texts.sort().join());
        deepStrictEqual(
          texts.sort(),
          ["", "", "0,0 to all,1,1 to all,2,2 to all"],
        );
      }
    },
  },
  {
    behaviour: "C9",
    name: "who comes late to a busy cluster ends up equal to the others",
    run: async ({ joinAll, join, within }) => {
      const nodes = await joinAll(2);
      let isBusy = true;
      // Each has sessions of its own: what was done last to them is what counts.
      const expected = new Map<string, string>();
      const work = async (node: TestableClusterNode, at: number) => {
        for (let round = 0; isBusy; round++) {
          const id = `s${at}-${round % 8}`;
          await change(node, id, round, expected);
          if (round % 3 === 0) await nextTurn();
        }
      };
      const working = nodes.map((node, at) => started(work(node, at)));
      const late: TestableClusterNode[] = [];
      while (late.length < 2) {
        late.push(await join());
        await nextTurn();
      }
      isBusy = false;
      await within(Promise.all(working), "the last updates");
      const ids = [...expected.keys()].sort();
      ok(ids.length > 0, "Nothing was updated");
      for (const node of [...nodes, ...late]) {
        const isEqual = async () => {
          for (const id of ids) {
            if (await view(node, id) !== expected.get(id)) return false;
          }
          return true;
        };
        await holds(within, isEqual, "a node to know what the others know");
      }
    },
  },
  {
    behaviour: "C16",
    name: "nodes and sessions that come and go leave nothing behind",
    run: async ({ joinAll, join, within }) => {
      const nodes = await joinAll(2);
      for (let round = 0; round < 5; round++) {
        const guest = await join();
        await attach(guest, `s${round}`);
        await guest.info.setLogLevel(`s${round}`, "info");
        await guest.info.delete(`s${round}`);
        await guest.close();
      }
      await holds(
        within,
        () => nodes.every((node) => node.nodes().length === 2),
        "only the nodes that are left",
      );
      for (let round = 0; round < 5; round++) {
        deepStrictEqual(await has(nodes, `s${round}`), [false, false]);
      }
      strictEqual(nodes[0]!.stats().attached, 0);
      strictEqual(nodes[1]!.stats().attached, 0);
    },
  },
];

/** What every node says of a session. */
function has(
  nodes: readonly TestableClusterNode[],
  id: string,
): Promise<boolean[]> {
  return eachNode(nodes, ({ streams }) => streams.has(id));
}

/** Does one thing after the other to a session, and notes what comes of it. */
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

/** All that a node knows of a session. */
async function view({ streams, info }: TestableClusterNode, id: string) {
  const uris: number[] = [];
  for (const uri of [0, 1, 2]) {
    const ids = await info.getSubscriptions(`file:///${uri}`);
    if (ids.includes(id)) uris.push(uri);
  }
  const level = await info.getLogLevel(id).catch(() => "none");
  return `${await streams.has(id)} ${level} ${uris}`;
}
