import { deepStrictEqual } from "node:assert/strict";
import {
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import { TestClient } from "../../support/test_client.ts";
import { TestSubscriber } from "../../support/test_subscriber.ts";
import { messagesUntil, note } from "../operation/notify_cases.ts";

const UPDATED = "notifications/resources/updated";
const TOOLS = "notifications/tools/list_changed";

/** `notify`, across nodes. */
export const clusterNotifyCases: readonly ClusterCase[] = [
  {
    behaviour: "O1",
    name: "a notification reaches the clients of all nodes, once",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(3);
      const uri = "file:///notes.md";
      const clients = await forEachNode(nodes, async (node, at) => {
        const client = await within(TestClient.begin(node), "a session");
        const stream = await within(client.listen(), "a stream");
        const subscriber = new TestSubscriber();
        const filters = {
          toolsListChanged: true,
          resourceSubscriptions: [uri],
        };
        await within(
          subscriber.subscribe(node.subscriptions, at, filters),
          "a subscription",
        );
        return { client, stream, subscriber };
      });
      const [subscribed] = clients;
      await within(
        nodes[1]!.info.addSubscription(subscribed!.client.id, uri),
        "a subscription to a resource",
      );
      for (const [at, node] of nodes.entries()) {
        const params = { _meta: { from: `${at}` } };
        await within(node.notify({ method: TOOLS, params }), "notify");
        const update = { uri, _meta: { from: `${at}` } };
        await within(node.notify({ method: UPDATED, params: update }), "it");
        await within(node.notify(note(`end ${at}`)), "notify");
      }
      const senders = nodes.map((_, at) => `${at}`);
      for (const { stream, client } of clients) {
        const events = await within(
          stream.take(client === subscribed!.client ? 9 : 6),
          "the notifications",
        );
        const got = events.map(({ data }) => JSON.parse(data));
        for (const [method, isFor] of [[TOOLS, true], [UPDATED, false]]) {
          const from = got.filter((it) => it.method === method)
            .map(({ params }) => params._meta.from).sort();
          const isExpected = isFor || client === subscribed!.client;
          deepStrictEqual(from, isExpected ? senders : []);
        }
      }
      await waitUntil(
        () => clients.every(({ subscriber: { calls } }) => calls.length >= 7),
        "the notifications of the subscriptions",
      );
      for (const { subscriber } of clients) {
        deepStrictEqual(
          subscriber.calls.slice().sort(),
          ["acknowledge", ...Array(3).fill(uri), ...Array(3).fill(TOOLS)]
            .sort(),
        );
      }
    },
  },
  {
    behaviour: "O2",
    name: "a notification to a principal reaches its sessions on all nodes",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(3);
      const principals = ["alice", "bob", undefined];
      const streams = await forEachNode(nodes, async (node, at) => {
        const own = [];
        for (const principal of principals) {
          // Begun on one node, and connected to another.
          const there = nodes[(at + 1) % nodes.length]!;
          const begun = TestClient.begin(there, { principal });
          const { id } = await within(begun, "a session");
          const client = new TestClient(node, { id, principal });
          own.push(await within(client.listen(), "a stream"));
          for (const other of nodes) {
            await waitUntil(
              () => other.streams.has(id),
              "all nodes to know the stream",
            );
          }
        }
        return own;
      });
      for (const [at, node] of nodes.entries()) {
        const to = { principal: "alice" };
        await within(node.notify(note(`alice ${at}`), to), "notify");
        await within(
          node.notify(note("bob"), { principal: "bob" }),
          "notify",
        );
      }
      // Frames of another node may overtake those of the first two.
      await within(nodes[2]!.notify(note("end")), "notify");
      for (const own of streams) {
        const alice = await within(own[0]!.take(4), "what alice gets");
        deepStrictEqual(
          alice.map(({ data }) => JSON.parse(data).params.name).sort(),
          ["alice 0", "alice 1", "alice 2", "end"],
        );
        const bob = await within(own[1]!.take(4), "what bob gets");
        deepStrictEqual(
          bob.map(({ data }) => JSON.parse(data).params.name).sort(),
          ["bob", "bob", "bob", "end"],
        );
        const rest = await within(messagesUntil(own[2]!, "end"), "the end");
        deepStrictEqual(rest, []);
      }
    },
  },
];
