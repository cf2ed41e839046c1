import type { Recipients } from "./recipients.ts";

/** A stored event. */
export interface Entry {
  readonly offset: number;
  readonly recipients: Recipients;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
  readonly appendedAt: number;
  readonly broadcastId: BroadcastId | undefined;
}

/**
 * Identifies a broadcast among several nodes: the sender and its sequence number.
 */
export interface BroadcastId {
  readonly node: string;
  readonly seq: number;
}
