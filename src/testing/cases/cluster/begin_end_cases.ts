import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ClusterCase } from "../../support/cluster_context.ts";
import { TestClient } from "../../support/test_client.ts";
import { RecordedCalls } from "../operation/begin_end_cases.ts";

/** `onBegin` and `onEnd`, on several nodes. */
export const clusterBeginEndCases: readonly ClusterCase[] = [
  {
    behaviour: "O5",
    name: "a session that begins or is deleted is reported by its node, once",
    run: async ({ addNode, within, waitUntil }) => {
      const records = [new RecordedCalls(), new RecordedCalls()];
      const here = await addNode(records[0]!.options);
      const there = await addNode(records[1]!.options);
      await waitUntil(
        () => [here, there].every((node) => node.nodes().length === 2),
        "the nodes to know each other",
      );
      const client = await within(TestClient.begin(here), "a session");
      const { id } = client;
      const moved = new TestClient(there, { id });
      strictEqual(await within(moved.ping(), "a POST elsewhere"), 200);
      strictEqual(await within(moved.end(), "a DELETE elsewhere"), 200);
      strictEqual(await within(client.ping(), "a POST"), 404);
      await within(here.info.delete(id), "a deletion");
      deepStrictEqual(records.map(({ calls }) => calls), [
        [`begin ${id} undefined`],
        [`end ${id} deleted`],
      ]);
    },
  },
  {
    behaviour: "O5",
    name: "a session that expired is reported by one of the nodes that used it",
    run: async ({ addNodes, within, waitUntil }) => {
      const { calls, options } = new RecordedCalls();
      const expiring = { ...options, info: { idleTimeoutMs: 300 } };
      const nodes = await addNodes(3, expiring);
      const ids: string[] = [];
      for (const node of nodes) {
        const { id } = await within(TestClient.begin(node), "a session");
        ids.push(id);
        for (const other of nodes) {
          const moved = new TestClient(other, { id });
          await within(moved.ping(), "a POST elsewhere");
        }
      }
      await waitUntil(
        () => calls.length >= 6,
        "the sessions to expire",
      );
      // Every node has had time to report it.
      for (const node of nodes) {
        const client = await within(TestClient.begin(node), "a session");
        await within(client.end(), "a DELETE");
      }
      const ends = calls.filter((call) => call.endsWith(" expired"));
      deepStrictEqual(
        ends.sort(),
        ids.map((id) => `end ${id} expired`).sort(),
      );
    },
  },
];
