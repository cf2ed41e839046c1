import { SESSION_HEADER } from "../../src/testing/support/test_transport.ts";
import type { ChaosNode } from "./nodes/chaos_node.ts";

const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: { roots: {} },
  clientInfo: { name: "test client", version: "1.0.0" },
};

/** Begins a session on a node. Returns its ID. */
export async function begin(node: ChaosNode): Promise<string> {
  const response = await post(node, {}, "initialize", INITIALIZE);
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return response.headers.get(SESSION_HEADER)!;
}

/** Sends a ping; returns the status of the response. */
export async function ping(node: ChaosNode, id: string): Promise<number> {
  const response = await post(node, { [SESSION_HEADER]: id }, "ping");
  await response.body?.cancel();
  return response.status;
}

/** Sends a DELETE; returns the status of the response. */
export async function endSession(node: ChaosNode, id: string): Promise<number> {
  const headers = { [SESSION_HEADER]: id };
  const response = await node.handle.request({ method: "DELETE", headers });
  await response.body?.cancel();
  return response.status;
}

/** Asks for the stream of a session, after an event if one is named. */
export async function openStream(
  node: ChaosNode,
  id: string,
  lastEventId: string,
): Promise<Response> {
  const response = await node.handle.request({
    method: "GET",
    headers: {
      accept: "text/event-stream",
      [SESSION_HEADER]: id,
      ...(lastEventId !== "" && { "last-event-id": lastEventId }),
    },
  });
  if (response.status !== 200) await response.body?.cancel();
  return response;
}

function post(
  node: ChaosNode,
  headers: Readonly<Record<string, string>>,
  method: string,
  params?: object,
): Promise<Response> {
  return node.handle.request({
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
}
