/**
 * What nodes say to each other. A packet is a JSON text; packets of another version
 * and packets and items of an unknown kind are ignored, so that nodes of two
 * releases can work side by side.
 *
 * Packets may get lost, doubled or late, all but batches by design: each replaces
 * the one before it, or is said again. Batches are numbered, and hold the items that
 * have to arrive, once and in order.
 *
 * - A node that hears of another one sends it a `join` until it is answered with
 *   `joined`: the number after which batches are for it. The first items after that
 *   say what the other node has, up to `welcome`.
 * - Batches to all and to one node share their numbers, so each says which one came
 *   before it for its reader. One whose predecessor is missing waits for it.
 * - The reader acknowledges what it has, now and then, with its beats or when asked to
 *   be quick, and asks again for what is missing; the sender keeps what is not
 *   acknowledged.
 * - A `beat` shows that a node lives, and where its numbers are, so that the loss of
 *   the newest batch shows.
 *
 * @module
 */
import type { Timestamp } from "../membership/hybrid_clock.ts";
import { isClusterMessage } from "./protocol_items.ts";

/** The version of the protocol. */
export const VERSION = 2;

/** The number of a batch, for all readers and for those where it is another one. */
export interface BatchPosition {
  readonly seq: number;
  readonly overrides?: Readonly<Record<string, number>> | undefined;
}

/** A sign of life. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  /** The newest batch. */
  readonly lastSeq: BatchPosition;
  /** A digest of what the node has, to find what others have got wrong. */
  readonly digests: Readonly<Record<string, number>>;
  /** Whether the sender waits for an acknowledgement. */
  readonly isProbe?: boolean | undefined;
  /** What it has read of others, by their names. */
  readonly acks?: Readonly<Record<string, HeartbeatAck>> | undefined;
}

/** An acknowledgement that comes with a beat. */
export type HeartbeatAck = readonly [attempt: number, number: number];

/** Asks to hear everything from now on. */
export interface Join {
  readonly kind: "join";
  /** Tells answers to this from answers to earlier ones. */
  readonly handshakeId: number;
  /** Whether the other node is known to have joined this one. */
  readonly isJoined: boolean;
}

/** Answers a {@linkcode Join}. */
export interface JoinAck {
  readonly kind: "joinAck";
  readonly handshakeId: number;
  /** The number after which batches are for the reader. */
  readonly afterSeq: number;
}

/** What has to arrive. */
export interface Batch {
  readonly kind: "batch";
  readonly seq: number;
  /** The batch before this one. */
  readonly prevSeq: BatchPosition;
  /** Whether somebody waits for the acknowledgement. */
  readonly isAckRequested?: boolean | undefined;
  readonly messages: readonly AddressedMessage[];
}

/** What a reader has. */
export interface Ack {
  readonly kind: "ack";
  readonly handshakeId: number;
  readonly seq: number;
  /** Whether it knows of more, and asks to have it again. */
  readonly isNack?: boolean | undefined;
}

/** Says that the reader is unknown here, and has to join again. */
export interface UnknownPeer {
  readonly kind: "unknownPeer";
  readonly handshakeId: number;
}

/** A node leaves. */
export interface Leave {
  readonly kind: "leave";
}

/** What a packet says. */
export type PacketBody =
  | Heartbeat
  | Join
  | JoinAck
  | Batch
  | Ack
  | UnknownPeer
  | Leave;

/** A message, and who it is from. */
export type Packet = PacketBody & {
  readonly v: typeof VERSION;
  readonly from: string;
  /** Tells a node from an earlier one of its name; the newer one has the larger. */
  readonly incarnation: number;
};

/** An item of a batch for all may be for one node only, in its place in the order. */
export type AddressedMessage = ClusterMessage & {
  readonly only?: string | undefined;
};

/** What one node tells others. */
export type ClusterMessage =
  | {
    /** Write to streams. */
    readonly kind: "send";
    /** Sessions whose home the reader is; `undefined` means everyone. */
    readonly sessions?: readonly string[] | undefined;
    readonly data: string;
    /** The how-manieth text to everyone it is of this sender. */
    readonly seq?: number | undefined;
    /** How often it was passed on because its session had moved. */
    readonly hops?: number | undefined;
  }
  /** The how-manieth text to everyone was the last before these. */
  | { readonly kind: "broadcastSeq"; readonly seq: number }
  /** The sender is the home of sessions. */
  | { readonly kind: "owners"; readonly owners: readonly Ownership[] }
  /** Asks for everything that the reader is the home of. */
  | { readonly kind: "requestOwners" }
  /** Everything that the sender is the home of was told. */
  | { readonly kind: "ownersDone" }
  /** The sender is the home of a session no longer. */
  | { readonly kind: "released"; readonly id: string; readonly at: Timestamp }
  /** What is stored of a session, or that it is deleted. */
  | {
    readonly kind: "metadata";
    readonly id: string;
    readonly fields: readonly FieldWrite[];
    readonly deleted?: Timestamp | undefined;
    /** How many milliseconds ago it was used, where that is not now. */
    readonly age?: number | undefined;
  }
  /** Asks for the records where the reader's sums are others. */
  | { readonly kind: "requestDiff"; readonly digests: readonly number[] }
  /** Everything that `compare` asked for was told. */
  | { readonly kind: "diffDone" }
  /** A notification for subscriptions, as JSON. */
  | { readonly kind: "notification"; readonly text: string }
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
  /** Everything that a node has to know of its sender was told, and who is there. */
  | { readonly kind: "syncDone"; readonly nodes: readonly string[] };

/** The session, since when it is there, and whether its stream is away. */
export type Ownership = readonly [id: string, at: Timestamp, isParked: boolean];

/** A field of a record, and who wrote it when; `null` for one that was removed. */
export type FieldWrite = readonly [
  field: string,
  value: string | null,
  at: Timestamp,
];

/** What one node asks others. */
export type RpcRequest =
  /** Whether a stream is attached there: `boolean`. */
  | { readonly kind: "has"; readonly id: string }
  /** To end a stream there: `boolean`, whether there was one. */
  | { readonly kind: "delete"; readonly id: string }
  /**
   * What a client has missed whose session moves to the asker: `MissedEvents`, or a
   * `ResetReason`.
   */
  | {
    readonly kind: "resume";
    readonly id: string;
    readonly lastEventId: string;
  }
  /** What is stored of a session: {@linkcode FieldWrite}`[]`. */
  | { readonly kind: "metadata"; readonly id: string }
  /** How many milliseconds ago these sessions were used: `[id, ms][]`. */
  | { readonly kind: "lastUsed"; readonly ids: readonly string[] }
  /** Whether a subscription exists there: `boolean`. */
  | {
    readonly kind: "subscribed";
    readonly id: string | number;
    readonly origin: string;
    readonly at: Timestamp;
  }
  /** To close a subscription there: `boolean`, whether there was one. */
  | {
    readonly kind: "unsubscribe";
    readonly id: string | number;
    readonly origin: string;
    readonly reason: string;
  }
  /** To close all subscriptions there, of one origin or all: `true`. */
  | {
    readonly kind: "unsubscribeAll";
    readonly origin?: string | undefined;
    readonly reason?: string | undefined;
  };

/** The packet in a text; `undefined` for what is none of this version. */
export function readPacket(text: unknown): Packet | undefined {
  if (typeof text !== "string") return undefined;
  let packet: Partial<Packet> | null;
  try {
    packet = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof packet === "object" && packet?.v === VERSION &&
      typeof packet.from === "string" &&
      Number.isSafeInteger(packet.incarnation) && isPacketBody(packet)
    ? packet as Packet
    : undefined;
}

/** A position as one reader sees it. */
export function seqFor(node: string, position: BatchPosition): number {
  const { seq, overrides } = position;
  return overrides !== undefined && Object.hasOwn(overrides, node)
    ? overrides[node]!
    : seq;
}

function isPacketBody(message: Partial<Packet>): boolean {
  switch (message.kind) {
    case "heartbeat":
      return isPosition(message.lastSeq) && areAcks(message.acks);
    case "join":
    case "unknownPeer":
      return isCount(message.handshakeId);
    case "joinAck":
      return isCount(message.handshakeId) && isCount(message.afterSeq);
    case "batch":
      return isCount(message.seq) && isPosition(message.prevSeq) &&
        Array.isArray(message.messages) &&
        message.messages.every(isClusterMessage);
    case "ack":
      return isCount(message.handshakeId) && isCount(message.seq);
    case "leave":
      return true;
    default:
      return false;
  }
}

function isPosition(
  position: Partial<BatchPosition> | null | undefined,
): boolean {
  const { seq, overrides = {} } = position ?? {};
  return isCount(seq) && typeof overrides === "object" && overrides !== null &&
    Object.values(overrides).every(isCount);
}

function areAcks(acks: unknown): boolean {
  return acks === undefined ||
    typeof acks === "object" && acks !== null &&
      Object.values(acks).every((ack) =>
        Array.isArray(ack) && isCount(ack[0]) && isCount(ack[1])
      );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
