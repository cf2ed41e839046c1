import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { TestClient } from "../../../src/testing/support/test_client.ts";

/** Sends a ping of a session to a node; returns the status of the response. */
export function ping(
  node: RedisSessions,
  { id }: { readonly id: string },
): Promise<number> {
  return new TestClient(node, { id }).ping();
}
