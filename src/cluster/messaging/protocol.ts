/**
 * The wire protocol between nodes. A packet is a JSON string. Packets of
 * another version, and kinds that a node doesn't know, are ignored, so that two
 * releases can share a bus.
 *
 * | Packet | Sent | Meaning |
 * | ------ | ---- | ------- |
 * | `heartbeat` | every `heartbeatMs` | I am alive. Has the last sequence number, so that the loss of the newest batch is noticed, digests, and acknowledgements |
 * | `join` | to a new peer, until it is answered | Handshake: send me everything from now on |
 * | `joinAck` | to answer `join` | Batches after this number are for you |
 * | `batch` | once a turn, and again if it was lost | Messages that must arrive, once and in order |
 * | `ack` | within `ackDelayMs`, or at once if requested | I have everything up to this number; `isNack`: send the rest again |
 * | `unknownPeer` | to answer a peer that this node has forgotten | Join again |
 * | `leave` | when a node closes | I am gone |
 * | `fragment` | instead of a packet that is too long for the bus | Part of that packet, see `fragments/fragment.ts` |
 *
 * Only batches are delivered reliably. All other packets replace the previous
 * one of their kind, or are repeated. Batches to all nodes and to one node
 * share their numbers, so each names the batch before it for its receiver, and
 * waits if that is missing. The sender keeps a batch until all receivers have
 * acknowledged it.
 *
 * A batch for one node is acknowledged soon. A batch for all is acknowledged
 * with the heartbeats of its receivers, which costs no messages; only the nodes
 * that the sender waits for acknowledge it at once. The loss of the last batch
 * is noticed with a heartbeat that the sender sends a moment later.
 *
 * After `joinAck`, the first messages for a new peer are everything it must
 * know, up to `syncDone`. That has digests of what all nodes have, so that the
 * peer requests it from one of them.
 *
 * @module
 */
import type { SessionEndReason } from "../../contracts/options.ts";
import type { Timestamp } from "../membership/hybrid_clock.ts";
import type { ForwardMessage } from "./forward_protocol.ts";
import type { FieldWrite, RpcRequest } from "./rpc_protocol.ts";

export type { FieldWrite, RpcRequest };

/** The version of the protocol. */
export const VERSION = 3;

/**
 * The number of a batch, for all receivers, and for those for which it differs.
 */
export interface BatchPosition {
  readonly seq: number;
  readonly overrides?: Readonly<Record<string, number>> | undefined;
}

/** A sign that the node is alive. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  /** The newest batch. */
  readonly lastSeq: BatchPosition;
  /** Digests of the node's data, to find differences. */
  readonly digests: Readonly<Record<string, number>>;
  /** Whether the sender waits for an acknowledgement. */
  readonly isProbe?: boolean | undefined;
  /** Acknowledgements for other nodes, by name; each node has its turn. */
  readonly acks?: Readonly<Record<string, HeartbeatAck>> | undefined;
}

/** An acknowledgement as part of a heartbeat. */
export type HeartbeatAck = readonly [attempt: number, number: number];

/** Subscribes to everything that a node sends from now on. */
export interface Join {
  readonly kind: "join";
  /** Identifies this handshake in the answer. */
  readonly handshakeId: number;
  /** Whether the other node has already subscribed to this one. */
  readonly isJoined: boolean;
  /** The incarnation of the other node that this one has removed, if any. */
  readonly removed?: number | undefined;
}

/** Answers a {@linkcode Join}. */
export interface JoinAck {
  readonly kind: "joinAck";
  readonly handshakeId: number;
  /** The number after which batches are for the receiver. */
  readonly afterSeq: number;
}

/** Messages that must arrive, once and in order. */
export interface Batch {
  readonly kind: "batch";
  readonly seq: number;
  /** The batch before this one. */
  readonly prevSeq: BatchPosition;
  /** Whether it was sent to all, so that heartbeats acknowledge it. */
  readonly isForAll?: boolean | undefined;
  /** The nodes that acknowledge it at once; `true` for all receivers. */
  readonly ackBy?: true | readonly string[] | undefined;
  readonly messages: readonly AddressedMessage[];
}

/** Acknowledges the batches up to a number. */
export interface Ack {
  readonly kind: "ack";
  readonly handshakeId: number;
  readonly seq: number;
  /** Whether later batches are missing and must be sent again. */
  readonly isNack?: boolean | undefined;
}

/** The receiver is unknown here and must join again. */
export interface UnknownPeer {
  readonly kind: "unknownPeer";
  readonly handshakeId: number;
}

/** The node leaves the cluster. */
export interface Leave {
  readonly kind: "leave";
}

/** Part of a packet that is longer than the bus can carry. */
export interface Fragment {
  readonly kind: "fragment";
  /**
   * Identifies the packet: the sequence number of a batch, or a negative number
   * that no other packet of the sender has.
   */
  readonly id: number;
  /** Where the part begins, in characters. */
  readonly start: number;
  /** The length of the packet, in characters. */
  readonly length: number;
  /** The part. */
  readonly text: string;
}

/** The content of a packet. */
export type PacketBody =
  | Heartbeat
  | Join
  | JoinAck
  | Batch
  | Ack
  | UnknownPeer
  | Leave
  | Fragment;

/** A packet: its content and sender. */
export type Packet = PacketBody & {
  readonly v: typeof VERSION;
  readonly from: string;
  /**
   * Distinguishes a node from an earlier one of its name; the newer one is
   * larger.
   */
  readonly incarnation: number;
};

/**
 * A message in a batch for all nodes may be for one of them only, so that order
 * is kept.
 */
export type AddressedMessage = ClusterMessage & {
  readonly only?: string | undefined;
};

/** A message from one node to others. */
export type ClusterMessage =
  | {
    /** Write a frame to streams. */
    readonly kind: "send";
    /** Sessions that the receiver owns; `undefined` for everyone. */
    readonly sessions?: readonly string[] | undefined;
    /** For a broadcast: only the streams of this transport. */
    readonly transport?: string | undefined;
    readonly data: string;
    /** The broadcast's sequence number at this sender. */
    readonly seq?: number | undefined;
    /** How often it was forwarded because its session had moved. */
    readonly hops?: number | undefined;
  }
  /** The sender's last broadcast before the receiver subscribed. */
  | { readonly kind: "broadcastSeq"; readonly seq: number }
  /** The sender owns these sessions. */
  | { readonly kind: "owners"; readonly owners: readonly Ownership[] }
  /** Requests all claims of the receiver. */
  | { readonly kind: "requestOwners" }
  /** All claims were sent. */
  | { readonly kind: "ownersDone" }
  /** The sender no longer owns a session. */
  | { readonly kind: "released"; readonly id: string; readonly at: Timestamp }
  /** Metadata of a session, or its deletion. */
  | {
    readonly kind: "metadata";
    readonly id: string;
    readonly fields: readonly FieldWrite[];
    readonly deleted?: Timestamp | undefined;
    /** How many milliseconds ago the session was used, if not now. */
    readonly age?: number | undefined;
    /** Why it was deleted. */
    readonly reason?: SessionEndReason | undefined;
  }
  /** Requests the records of the buckets whose digests differ. */
  | { readonly kind: "requestDiff"; readonly digests: readonly number[] }
  /** The answer to `requestDiff` is complete. */
  | { readonly kind: "diffDone" }
  /** How many milliseconds ago sessions were used, on any node. */
  | {
    readonly kind: "used";
    readonly ages: readonly (readonly [id: string, ms: number])[];
  }
  /** The sender has the server of a session now. */
  | { readonly kind: "hosted"; readonly id: string }
  /** A notification for subscriptions, as JSON. */
  | { readonly kind: "notification"; readonly text: string }
  /** The sender has subscriptions whose IDs the receiver decides about. */
  | {
    readonly kind: "reserved";
    readonly subscriptions: readonly (readonly [string | number, string])[];
  }
  /** The sender no longer has a subscription. */
  | {
    readonly kind: "unreserved";
    readonly id: string | number;
    readonly origin: string;
  }
  | {
    readonly kind: "request";
    readonly id: number;
    readonly request: RpcRequest;
  }
  | {
    readonly kind: "response";
    readonly id: number;
    readonly response: unknown;
  }
  | ForwardMessage
  | LostMessages
  | SyncDone;

/** Everything a new peer must know was sent. */
export interface SyncDone {
  readonly kind: "syncDone";
  /** The nodes that the sender knows. */
  readonly nodes: readonly string[];
  /** Digests of the data of the sender, to find differences. */
  readonly digests: Readonly<Record<string, number>>;
}

/** Takes the place of messages that the bus refused again and again. */
export interface LostMessages {
  readonly kind: "lost";
  /**
   * The sessions that frames were for; `undefined` for everyone, also if they
   * were for one transport.
   */
  readonly sessions?: readonly string[] | undefined;
  /** The sequence number of the last broadcast among them. */
  readonly seq?: number | undefined;
  /** Whether parts of forwarded requests were among them. */
  readonly hasForwards?: boolean | undefined;
}

/** A session, when it was claimed, and whether its stream has ended. */
export type Ownership = readonly [
  id: string,
  at: Timestamp,
  isDetached: boolean,
];

/** Returns whether a node must acknowledge a batch at once. */
export function isRequestedOf({ ackBy }: Batch, node: string): boolean {
  return ackBy === true || ackBy?.includes(node) === true;
}

/**
 * Returns whether the sender of a batch expects a node to acknowledge it before
 * its next heartbeat.
 */
export function expectsAck(batch: Batch, node: string): boolean {
  return !batch.isForAll || isRequestedOf(batch, node) ||
    batch.messages.some(({ only }) => only === node);
}

/** A position as one reader sees it. */
export function seqFor(node: string, position: BatchPosition): number {
  const { seq, overrides } = position;
  return overrides !== undefined && Object.hasOwn(overrides, node)
    ? overrides[node]!
    : seq;
}
