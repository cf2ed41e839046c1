import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { LoggingLevel } from "../../../protocol/mcp_types.ts";
import {
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import { assertNotFound } from "../../support/assertions.ts";

const URI = "file:///shared";
const CLIENT = { name: "client", version: "1.0.0" };
const LEVELS: readonly LoggingLevel[] = ["debug", "error", "alert"];

/** Metadata, written and read on several nodes. */
export const clusterInfoCases: readonly ClusterCase[] = [
  {
    behaviour: "C4",
    name: "once a write has resolved, every node reads what was written",
    run: async ({ addNodes }) => {
      const nodes = await addNodes(3);
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
        await writer.setData(id, { round });
        deepStrictEqual(await reader.getData(id), { round });
        deepStrictEqual(await other.getData(id), { round });
        await other.addSubscription(id, URI);
        deepStrictEqual(await reader.getSubscriptions(URI), [id]);
        await reader.removeSubscription(id, URI);
        deepStrictEqual(await writer.getSubscriptions(URI), []);
        await other.addSubscription(id, URI);
        await reader.setLogLevel(id, undefined);
        await assertNotFound(
          () => other.getLogLevel(id),
          "getLogLevel after setLogLevel(id, undefined)",
        );
        await reader.delete(id);
        for (const info of [reader, writer, other]) {
          await assertNotFound(
            () => info.getClientInfo(id),
            "getClientInfo after delete",
          );
          strictEqual(await info.getData(id), undefined);
          deepStrictEqual(await info.getSubscriptions(URI), []);
        }
      }
    },
  },
  {
    behaviour: "C11",
    name: "concurrent writes to different fields of a session are all kept",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const [first, second, third] = nodes.map(({ info }) => info);
      const ids = Array.from({ length: 20 }, (_, at) => `s${at}`);
      const writes = ids.flatMap((id) => [
        first!.setClientInfo(id, { ...CLIENT, name: id }),
        second!.setClientCapabilities(id, { roots: {} }),
        third!.setLogLevel(id, "notice"),
        ...nodes.map(({ info }, at) => info.addSubscription(id, `uri:${at}`)),
      ]);
      await within(Promise.all(writes), "the writes to resolve");
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
    name: "removing a field on one node keeps what others wrote",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const [first, second] = nodes.map(({ info }) => info);
      const ids = Array.from({ length: 10 }, (_, at) => `s${at}`);
      const writes = ids.flatMap((id) => [
        second!.setClientInfo(id, CLIENT),
        // In between, this node knows of nothing that is stored of the session.
        first!.addSubscription(id, URI),
        first!.removeSubscription(id, URI),
        first!.setLogLevel(id, "debug"),
        first!.setLogLevel(id, undefined),
        first!.addSubscription(id, "uri:other"),
      ]);
      await within(Promise.all(writes), "the writes to resolve");
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
    name: "all nodes agree on one of several concurrent values",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      for (let round = 0; round < 10; round++) {
        const writes = nodes.map(({ info }, at) =>
          info.setLogLevel("s", LEVELS[(at + round) % 3])
        );
        await within(Promise.all(writes), "the writes to resolve");
        const levels = await forEachNode(
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
    name: "all nodes agree whether a concurrent delete or write wins",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      for (let round = 0; round < 10; round++) {
        const id = `s${round}`;
        await nodes[round % 3]!.info.setClientInfo(id, CLIENT);
        const writes = [
          nodes[0]!.info.delete(id),
          nodes[1]!.info.setLogLevel(id, "info"),
          nodes[2]!.info.addSubscription(id, URI),
        ];
        await within(Promise.all(writes), "the writes to resolve");
        const views = await forEachNode(nodes, async ({ info }) => [
          await info.getClientInfo(id).catch(() => "none"),
          await info.getLogLevel(id).catch(() => "none"),
          (await info.getSubscriptions(URI)).includes(id),
        ]);
        deepStrictEqual(views, [views[0], views[0], views[0]]);
      }
    },
  },
];
