import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ClusterCase } from "../../support/cluster_context.ts";
import { TestClient } from "../../support/test_client.ts";

/** `stats`, on several nodes. */
export const clusterStatsCases: readonly ClusterCase[] = [
  {
    behaviour: "O5",
    name: "each session that begins or ends is counted by one node",
    run: async ({ addNodes, within, waitUntil }) => {
      const nodes = await addNodes(2);
      const known = () => nodes.map((node) => node.stats().sessions);
      const ids: string[] = [];
      for (const node of [nodes[0]!, nodes[0]!, nodes[1]!]) {
        const { id } = await within(TestClient.begin(node), "a session");
        ids.push(id);
        for (const other of nodes) {
          const moved = new TestClient(other, { id });
          strictEqual(await within(moved.ping(), "a POST"), 200);
        }
      }
      deepStrictEqual(known(), [3, 3]);
      const moved = new TestClient(nodes[1]!, { id: ids[0]! });
      strictEqual(await within(moved.end(), "a DELETE elsewhere"), 200);
      await within(nodes[0]!.end({ session: ids[2]! }), "an end elsewhere");
      await waitUntil(
        () => known().every((count) => count === 1),
        "the nodes to know that two sessions have ended",
      );
      const none = { deleted: 0, ended: 0, expired: 0 };
      deepStrictEqual(
        nodes.map((node) => node.stats()).map(({ begun, ended }) => ({
          begun,
          ended,
        })),
        [
          { begun: 2, ended: { ...none, ended: 1 } },
          { begun: 1, ended: { ...none, deleted: 1 } },
        ],
      );
    },
  },
];
