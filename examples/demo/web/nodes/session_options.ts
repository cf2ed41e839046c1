import type { SessionsOptions } from "@crossmcp/session-manager";
import type { NodeConfig } from "./node_config.ts";
import type { StreamEvents } from "./serve_node.ts";

/** The options of both kinds of nodes, the same on every node. */
export function sessionOptions(
  { name }: NodeConfig,
  { onEvict }: StreamEvents,
  onReset: (id: string) => void,
): SessionsOptions & { cluster: { node: string; heartbeatMs: number } } {
  return {
    streams: {
      replay: {}, // clients that reconnect get what they missed
      backlog: { maxBytes: 1_048_576, maxAgeMs: 10_000 },
    },
    // A dead node is noticed after three heartbeats.
    cluster: { node: name, heartbeatMs: 500 },
    onEvict,
    onReset,
    onError: ({ message }) => console.error(`node ${name}: ${message}`),
  };
}

/** Makes a client that missed something read the recent messages again. */
export const READ_AGAIN = {
  method: "notifications/resources/list_changed",
} as const;
