/** The requests of one node to another, and their responses. @module */
import type { Timestamp } from "../membership/hybrid_clock.ts";
import type { MessageTarget } from "../../requests/message_target.ts";

/** A field of a record, with its timestamp; `null` if it was removed. */
export type FieldWrite = readonly [
  field: string,
  value: string | null,
  at: Timestamp,
];

/**
 * What happens in a session on a node: its unread bytes (`null` without a
 * stream), its open requests, and how many milliseconds ago it was used.
 */
export type Activity = readonly [
  id: string,
  queuedBytes: number | null,
  openRequests: number,
  age: number | null,
];

/** A request of one node to another. */
export type RpcRequest =
  /** Is a stream attached, to any node? Response: `boolean`. */
  | { readonly kind: "has"; readonly id: string }
  /**
   * End a stream. Response: `boolean`, whether there was one. A witness that
   * knows its node passes the request on, once.
   */
  | {
    readonly kind: "delete";
    readonly id: string;
    readonly isPassedOn?: boolean | undefined;
  }
  /**
   * What has the client of a session that moves to the caller missed? Response:
   * `MissedEvents` or a `ResetReason`.
   */
  | {
    readonly kind: "resume";
    readonly id: string;
    readonly lastEventId: string;
    /** The transport that the stream belongs to. */
    readonly transport?: string | undefined;
  }
  /** What is stored for a session? Response: {@linkcode FieldWrite}`[]`. */
  | { readonly kind: "metadata"; readonly id: string }
  /**
   * How many milliseconds ago were these sessions used? Response: `[id, ms][]`.
   */
  | { readonly kind: "lastUsed"; readonly ids: readonly string[] }
  /**
   * What happens in these sessions on the node? Response: {@linkcode Activity}
   * of those in which something does.
   */
  | { readonly kind: "activity"; readonly ids: readonly string[] }
  /** Is the request of an event ID open here? Response: `boolean`. */
  | {
    readonly kind: "hasRequest";
    readonly session: string;
    readonly eventId: string;
  }
  /** Does an open request wait for a message? Response: `boolean`. */
  | {
    readonly kind: "awaits";
    readonly session: string;
    readonly target: MessageTarget;
  }
  /** Is the server of a session there, and stays? Response: `boolean`. */
  | { readonly kind: "hosts"; readonly session: string }
  /**
   * The ID of a subscription: `reserve` asks the node that decides about it
   * whether it is free. Response: `boolean`. `holder` asks that node who has it.
   * Response: the name of a node, or `null`. `subscribed` asks a node whether it
   * has it. Response: `boolean`.
   */
  | {
    readonly kind: "reserve" | "holder" | "subscribed";
    readonly id: string | number;
    readonly origin: string;
  }
  /** Close a subscription. Response: `boolean`, whether there was one. */
  | {
    readonly kind: "unsubscribe";
    readonly id: string | number;
    readonly origin: string;
    readonly reason: string;
  }
  /** Close all subscriptions, or those of one origin. Response: `true`. */
  | {
    readonly kind: "unsubscribeAll";
    readonly origin?: string | undefined;
    readonly reason?: string | undefined;
  };
