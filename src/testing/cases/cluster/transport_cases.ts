import { deepStrictEqual } from "node:assert/strict";
import type { ClusterCase } from "../../support/cluster_context.ts";
import { assertNoResets } from "../../support/assertions.ts";
import { frame, TestClient } from "../../support/test_client.ts";

/** Two transports of one server, on several nodes. */
export const clusterTransportCases: readonly ClusterCase[] = [
  {
    behaviour: "S19",
    name: "a broadcast through a view reaches its transport on all nodes, once",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const names = ["http", "sse"];
      const streams = [];
      for (const node of nodes) {
        for (const transport of names) {
          const begun = TestClient.begin(node, { transport });
          const client = await within(begun, "a session");
          streams.push(await within(client.listen(), "a stream"));
        }
      }
      const sent: string[] = [];
      for (const [index, node] of nodes.entries()) {
        sent.push(`from ${index}`);
        for (const name of names) {
          const view = node.forTransport(name);
          await view.streams.send(undefined, frame(`from ${index}`));
        }
      }
      await nodes[0]!.streams.send(undefined, frame("from 0, to everyone"));
      for (const stream of streams) {
        // Duplicates would arrive before the last one of a node.
        const got = await within(stream.take(sent.length + 1), "broadcasts");
        deepStrictEqual(
          got.map(({ data }) => data).sort(),
          [...sent, "from 0, to everyone"].sort(),
        );
      }
    },
  },
  {
    behaviour: "S19",
    name: "a client that moves gets what its transport has sent meanwhile",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(2, { streams: { replay: {} } });
      const here = nodes[0]!;
      const begun = TestClient.begin(here, { transport: "http" });
      const { id } = await within(begun, "a session");
      const clients = nodes.map((node) =>
        new TestClient(node, { id, transport: "http" })
      );
      const send = async (text: string) => {
        for (const name of ["http", "sse"]) {
          await here.forTransport(name).streams.send(undefined, frame(text));
        }
      };
      let stream = await within(clients[0]!.listen(), "a stream");
      await send("first");
      let [last] = await within(stream.take(), "the first event");
      for (let move = 1; move <= 6; move++) {
        await stream.cancel();
        await send(`missed ${move}`);
        const client = clients[move % 2]!;
        stream = await within(client.listen(last!.lastEventId), "a stream");
        await send(`next ${move}`);
        const got = await within(stream.take(2), "two events");
        deepStrictEqual(
          got.map(({ data }) => data),
          [`missed ${move}`, `next ${move}`],
        );
        last = got[1];
      }
      for (const node of nodes) assertNoResets(node);
    },
  },
];
