import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type ClusterCase,
  forEachNode,
  nodeName,
} from "../../support/cluster_context.ts";
import { TestClient } from "../../support/test_client.ts";
import { listed } from "../operation/list_cases.ts";

/** `list`, across nodes. */
export const clusterListCases: readonly ClusterCase[] = [
  {
    behaviour: "O4",
    name: "every node lists the sessions of all nodes, and where they are",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(3);
      const expected: unknown[] = [];
      await forEachNode(nodes, async (node, at) => {
        const principal = `user ${at}`;
        const begun = TestClient.begin(node, { principal });
        const { id } = await within(begun, "a session");
        const there = nodes[(at + 1) % nodes.length]!;
        const moved = new TestClient(there, { id, principal });
        await within(moved.listen(), "a stream");
        await within(moved.work(at), "a request");
        const name = nodeName(there);
        expected.push([id, principal, "test client", name, true, 1]);
      });
      for (const node of nodes) {
        let all: unknown[] = [];
        await waitUntil(async () => {
          const summaries = await listed(node);
          all = summaries.map((it) => [
            it.id,
            it.principal,
            it.clientInfo?.name,
            it.node,
            it.isStreaming,
            it.openRequests,
          ]);
          return summaries.every(({ isStreaming }) => isStreaming);
        }, "the list");
        deepStrictEqual(all.sort(), expected.sort());
        const own = await within(
          listed(node, { principal: "user 1" }),
          "the sessions of one user",
        );
        strictEqual(own.length, 1);
      }
    },
  },
];
