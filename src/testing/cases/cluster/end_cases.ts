import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import { TestClient } from "../../support/test_client.ts";

/** `end`, across nodes. */
export const clusterEndCases: readonly ClusterCase[] = [
  {
    behaviour: "O3",
    name: "a session that was ended on one node is gone on all nodes at once",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(3);
      const [first, second, third] = nodes;
      const begun = await within(TestClient.begin(first!), "a session");
      const { id } = begun;
      // Its stream and its request are on other nodes.
      const listening = new TestClient(second!, { id });
      const stream = await within(listening.listen(), "a stream");
      const working = new TestClient(third!, { id });
      const { events } = await within(working.work(7), "a request");
      strictEqual(await within(first!.end({ session: id }), "end"), 1);
      const statuses = await forEachNode(
        nodes,
        (node) => within(new TestClient(node, { id }).ping(), "a POST"),
      );
      deepStrictEqual(statuses, [404, 404, 404]);
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
      await within(events.end(), "the end of the request");
      await waitUntil(
        () => third!.stats().openRequests === 0,
        "the request to end",
      );
      await forEachNode(nodes, async (node) => {
        await within(rejects(node.info.getClientInfo(id)), "no metadata");
        await waitUntil(async () => !await node.streams.has(id), "no stream");
        strictEqual(await within(node.end({ session: id }), "end"), 0);
      });
    },
  },
  {
    behaviour: "O2",
    name: "the sessions of a principal are ended on all nodes",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const begin = (principal: string) =>
        forEachNode(nodes, async (node, at) => {
          const begun = TestClient.begin(node, { principal });
          const { id } = await within(begun, "a session");
          const there = nodes[(at + 1) % nodes.length]!;
          const client = new TestClient(there, { id, principal });
          const stream = await within(client.listen(), "a stream");
          return { client, stream };
        });
      const ended = await begin("alice");
      const others = await begin("bob");
      const count = await within(nodes[1]!.end({ principal: "alice" }), "end");
      strictEqual(count, 3);
      for (const { client, stream } of ended) {
        strictEqual(await within(client.ping(), "a POST"), 404);
        await within(stream.end(), "the end of a stream");
      }
      for (const { client } of others) {
        strictEqual(await within(client.ping(), "a POST"), 200);
      }
      await within(
        nodes[2]!.notify({ method: "notifications/note" }),
        "a notification",
      );
      for (const { stream } of others) {
        await within(stream.take(), "the notification");
      }
    },
  },
];
