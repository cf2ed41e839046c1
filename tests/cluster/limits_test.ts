import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { until } from "../e2e/support/until.ts";
import {
  beginOnAll,
  LIMIT,
  LIMITED,
  subscribeOnAll,
} from "../support/concurrent_limits.ts";

const NODES = 3;

describe("ClusterSessions: limits of a cluster", () => {
  it("L2 L5 are exceeded at most by what nodes write before they hear of each other", async () => {
    const network = new LossyNetwork({ delayMs: [0, 5] });
    const nodes = Array.from(
      { length: NODES },
      () => new ClusterSessions(network.bus(), LIMITED),
    );
    await Promise.all(nodes.map(({ ready }) => ready));
    for (let round = 0; round < 5; round++) {
      const principal = `user ${round}`;
      const begun = await beginOnAll(nodes, principal);
      assert(begun >= LIMIT && begun <= NODES * LIMIT, `${begun} have begun.`);
      const { id } = await TestClient.begin(nodes[0]!);
      const added = await subscribeOnAll(nodes, id, "first");
      assert(added >= LIMIT && added <= NODES * LIMIT, `${added} were added.`);
      // Once all know, there are no more.
      await until(async () => {
        const known = await Promise.all(
          nodes.map((node) => listed(node, principal)),
        );
        return known.every((count) => count === begun);
      }, "all nodes to know the sessions");
      assertEquals(await beginOnAll(nodes, principal), 0);
      assertEquals(await subscribeOnAll(nodes, id, "second"), 0);
    }
    await Promise.all(nodes.map((node) => node.close()));
  });
});

async function listed(
  node: ClusterSessions,
  principal: string,
): Promise<number> {
  let count = 0;
  for await (const _ of node.list({ principal })) count++;
  return count;
}
