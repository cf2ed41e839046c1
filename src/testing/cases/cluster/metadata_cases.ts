import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { LoggingLevel } from "../../../protocol/mcp_types.ts";
import { type ClusterCase, eachNode } from "../../support/cluster_context.ts";
import { forgotten } from "../../support/expect.ts";

const URI = "file:///shared";
const CLIENT = { name: "client", version: "1.0.0" };
const LEVELS: readonly LoggingLevel[] = ["debug", "error", "alert"];

/** What is stored of sessions, on every node. */
export const clusterInfoCases: readonly ClusterCase[] = [
  {
    behaviour: "C4",
    name: "once a write resolved, every node answers accordingly",
    run: async ({ joinAll }) => {
      const nodes = await joinAll(3);
      for (let round = 0; round < 6; round++) {
        const { info: writer } = nodes[round % 3]!;
        const { info: reader } = nodes[(round + 1) % 3]!;
        const { info: other } = nodes[(round + 2) % 3]!;
        const id = `s${round}`;
        await writer.setClientInfo(id, { ...CLIENT, version: `${round}` });
        strictEqual((await reader.getClientInfo(id))?.version, `${round}`);
        await writer.setClientCapabilities(id, { roots: {} });
        deepStrictEqual(await reader.getClientCapabilities(id), { roots: {} });
        await writer.setLogLevel(id, "alert");
        strictEqual(await other.getLogLevel(id), "alert");
        await other.addSubscription(id, URI);
        deepStrictEqual(await reader.getSubscriptions(URI), [id]);
        await reader.removeSubscription(id, URI);
        deepStrictEqual(await writer.getSubscriptions(URI), []);
        await other.addSubscription(id, URI);
        await reader.setLogLevel(id, undefined);
        await forgotten(() => other.getLogLevel(id), "A level taken back");
        await reader.delete(id);
        for (const info of [reader, writer, other]) {
          await forgotten(() => info.getClientInfo(id), "A deleted session");
          deepStrictEqual(await info.getSubscriptions(URI), []);
        }
      }
    },
  },
  {
    behaviour: "C11",
    name: "nodes that write to a session at once lose nothing of it",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const [first, second, third] = nodes.map(({ info }) => info);
      const ids = Array.from({ length: 20 }, (_, at) => `s${at}`);
      const writes = ids.flatMap((id) => [
        first!.setClientInfo(id, { ...CLIENT, name: id }),
        second!.setClientCapabilities(id, { roots: {} }),
        third!.setLogLevel(id, "notice"),
        ...nodes.map(({ info }, at) => info.addSubscription(id, `uri:${at}`)),
      ]);
      await within(Promise.all(writes), "the writes");
      for (const { info } of nodes) {
        for (const id of ids) {
          strictEqual((await info.getClientInfo(id))?.name, id);
          deepStrictEqual(await info.getClientCapabilities(id), { roots: {} });
          strictEqual(await info.getLogLevel(id), "notice");
        }
        for (const at of [0, 1, 2]) {
          deepStrictEqual(
            (await info.getSubscriptions(`uri:${at}`)).sort(),
            [...ids].sort(),
          );
        }
      }
    },
  },
  {
    behaviour: "C11",
    name: "what one node takes back costs the others nothing",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      const [first, second] = nodes.map(({ info }) => info);
      const ids = Array.from({ length: 10 }, (_, at) => `s${at}`);
      const writes = ids.flatMap((id) => [
        second!.setClientInfo(id, CLIENT),
        // For a moment nothing is stored of it, as far as this node knows.
        first!.addSubscription(id, URI),
        first!.removeSubscription(id, URI),
        first!.setLogLevel(id, "debug"),
        first!.setLogLevel(id, undefined),
        first!.addSubscription(id, "uri:other"),
      ]);
      await within(Promise.all(writes), "the writes");
      for (const { info } of nodes) {
        for (const id of ids) {
          deepStrictEqual(await info.getClientInfo(id), CLIENT);
        }
        deepStrictEqual(await info.getSubscriptions(URI), []);
        deepStrictEqual((await info.getSubscriptions("uri:other")).sort(), ids);
      }
    },
  },
  {
    behaviour: "C11",
    name: "nodes that write the same thing at once agree on one",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      for (let round = 0; round < 10; round++) {
        const writes = nodes.map(({ info }, at) =>
          info.setLogLevel("s", LEVELS[(at + round) % 3])
        );
        await within(Promise.all(writes), "the writes");
        const levels = await eachNode(
          nodes,
          ({ info }) => info.getLogLevel("s"),
        );
        ok(LEVELS.includes(levels[0]!), `The level is ${levels[0]}`);
        deepStrictEqual(levels, [levels[0], levels[0], levels[0]]);
      }
    },
  },
  {
    behaviour: "C11",
    name: "nodes that write to a session that is being deleted agree",
    run: async ({ joinAll, within }) => {
      const nodes = await joinAll(3);
      for (let round = 0; round < 10; round++) {
        const id = `s${round}`;
        await nodes[round % 3]!.info.setClientInfo(id, CLIENT);
        const writes = [
          nodes[0]!.info.delete(id),
          nodes[1]!.info.setLogLevel(id, "info"),
          nodes[2]!.info.addSubscription(id, URI),
        ];
        await within(Promise.all(writes), "the writes");
        const views = await eachNode(nodes, async ({ info }) => [
          await info.getClientInfo(id).catch(() => "none"),
          await info.getLogLevel(id).catch(() => "none"),
          (await info.getSubscriptions(URI)).includes(id),
        ]);
        deepStrictEqual(views[1], views[0]);
        deepStrictEqual(views[2], views[0]);
      }
    },
  },
];
