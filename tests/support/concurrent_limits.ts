import type { Sessions, SessionsOptions } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { TestClient } from "../../src/testing/support/test_client.ts";

/** The limit of a session's subscriptions, and of a principal's sessions. */
export const LIMIT = 10;
/** How often each node tries. */
const ATTEMPTS = 20;
/** Options of the nodes. */
export const LIMITED: Pick<SessionsOptions, "info"> = {
  info: { maxSessionsPerPrincipal: LIMIT, maxSubscriptionsPerSession: LIMIT },
};

/** Begins sessions of one principal on all nodes at once; returns how many. */
export async function beginOnAll(
  nodes: readonly Sessions[],
  principal: string,
): Promise<number> {
  const statuses = await onAll(nodes, async (node) => {
    const response = await new TestClient(node, { principal }).initialize();
    await response.body?.cancel();
    return response.status;
  });
  assertEquals(statuses.filter((it) => it !== 200 && it !== 429), []);
  return statuses.filter((it) => it === 200).length;
}

/** Adds subscriptions of one session on all nodes at once; returns how many. */
export async function subscribeOnAll(
  nodes: readonly Sessions[],
  id: string,
  start: string,
): Promise<number> {
  const results = await onAll(nodes, async (node, name) => {
    try {
      await node.info.addSubscription(id, `file:///${start}/${name}`);
      return undefined;
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  });
  assertEquals(
    results.filter((it) => it !== undefined && it !== "ERR_LIMIT"),
    [],
  );
  return results.filter((it) => it === undefined).length;
}

function onAll<Result>(
  nodes: readonly Sessions[],
  act: (node: Sessions, name: string) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(
    nodes.flatMap((node, at) =>
      Array.from(
        { length: ATTEMPTS },
        (_, index) => act(node, `${at}-${index}`),
      )
    ),
  );
}
