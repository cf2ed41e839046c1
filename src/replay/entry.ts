import type { Recipients } from "./recipients.ts";

/** The events that are for one session only. */
export interface SessionShare {
  readonly session: string;
  events: number;
  bytes: number;
  /** Earlier events are not for it, or were dropped. */
  oldest: number;
}

/** A stored event. */
export interface Entry {
  readonly offset: number;
  readonly recipients: Recipients;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
  /** What its session takes, if it is for one session only. */
  readonly share: SessionShare | undefined;
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
