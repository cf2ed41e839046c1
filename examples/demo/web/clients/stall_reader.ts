import type { StreamClient } from "../../stream_client.ts";

/** What a stalled reader needs. */
export interface Staller {
  /** Sends a notification to a session. */
  readonly notify: (
    notification: { method: string; params: object },
    to: { sessions: string[] },
  ) => Promise<unknown>;
  /** Whether the reader of a session was evicted. */
  readonly wasEvicted: (session: string) => boolean;
}

/** Half of what a node keeps for a reader. */
const DATA = "x".repeat(524_288);
const APART_MS = 50;
/** More than all buffers of a connection hold together. */
const MAX_SENT = 100;

/**
 * Makes a client stop reading, and sends it data until its stream is evicted.
 * The first megabytes are in buffers of the operating system, and the node does
 * not know that nobody reads them.
 */
export async function stallReader(
  client: StreamClient,
  { notify, wasEvicted }: Staller,
  signal: AbortSignal,
): Promise<void> {
  const { session } = client;
  const goOn = client.stall();
  try {
    for (let sent = 0; sent < MAX_SENT && !signal.aborted; sent++) {
      if (wasEvicted(session)) return;
      const params = { level: "debug", logger: "load", data: DATA };
      await notify({ method: "notifications/message", params }, {
        sessions: [session],
      });
      await new Promise((resolve) => setTimeout(resolve, APART_MS));
    }
  } finally {
    goOn(); // its connection is cut off, and it reconnects
  }
}
