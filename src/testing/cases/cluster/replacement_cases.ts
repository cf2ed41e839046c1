import { ok, strictEqual } from "node:assert/strict";
import type { ClusterCase } from "../../support/cluster_context.ts";
import { frame, TestClient } from "../../support/test_client.ts";

/** Streams of one session that replace each other on different nodes. */
export const clusterReplacementCases: readonly ClusterCase[] = [
  {
    behaviour: "H15",
    name: "streams that replace each other on different nodes are slowed",
    run: async ({ addNodes, within }) => {
      const reports: Error[] = [];
      const onError = (error: Error) => reports.push(error);
      const nodes = await addNodes(2, { onError });
      const { id } = await within(TestClient.begin(nodes[0]!), "a session");
      const clients = nodes.map((node) => new TestClient(node, { id }));
      const delays: number[] = [];
      for (let count = 0; count < 30; count++) {
        const client = clients[count % 2]!;
        const stream = await within(client.listen(), "a stream");
        await nodes[count % 2]!.streams.send([id], frame("anything"));
        await within(stream.take(), "a message");
        delays.push(stream.retry ?? 0);
      }
      strictEqual(Math.max(...delays.slice(0, 4)), 0, "It is slowed too early");
      const [first = 0] = delays.filter((delay) => delay > 0);
      ok(first > 0, "It is not slowed");
      ok(delays.at(-1)! >= 4 * first, `The delay does not grow: ${delays}`);
      ok(reports.length > 0 && reports.length <= 2, "Once on each node");
    },
  },
];
