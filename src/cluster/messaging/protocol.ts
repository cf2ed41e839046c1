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
import type { Stamp } from "../membership/hybrid_clock.ts";
import { isItem } from "./protocol_items.ts";

/** The version of the protocol. */
export const VERSION = 1;

/** The number of a batch, for all readers and for those where it is another one. */
export interface Position {
  readonly number: number;
  readonly except?: Readonly<Record<string, number>> | undefined;
}

/** A sign of life. */
export interface Beat {
  readonly kind: "beat";
  /** The newest batch. */
  readonly newest: Position;
  /** A digest of what the node has, to find what others have got wrong. */
  readonly digests: Readonly<Record<string, number>>;
  /** Whether the sender waits for an acknowledgement. */
  readonly isProbe?: boolean | undefined;
  /** What it has read of others, by their names. */
  readonly acks?: Readonly<Record<string, BeatAck>> | undefined;
}

/** An acknowledgement that comes with a beat. */
export type BeatAck = readonly [attempt: number, number: number];

/** Asks to hear everything from now on. */
export interface Join {
  readonly kind: "join";
  /** Tells answers to this from answers to earlier ones. */
  readonly attempt: number;
  /** Whether the other node is known to have joined this one. */
  readonly isJoined: boolean;
}

/** Answers a {@linkcode Join}. */
export interface Joined {
  readonly kind: "joined";
  readonly attempt: number;
  /** The number after which batches are for the reader. */
  readonly after: number;
}

/** What has to arrive. */
export interface Batch {
  readonly kind: "batch";
  readonly number: number;
  /** The batch before this one. */
  readonly after: Position;
  /** Whether somebody waits for the acknowledgement. */
  readonly isUrgent?: boolean | undefined;
  readonly items: readonly AddressedItem[];
}

/** What a reader has. */
export interface Ack {
  readonly kind: "ack";
  readonly attempt: number;
  readonly number: number;
  /** Whether it knows of more, and asks to have it again. */
  readonly isMissing?: boolean | undefined;
}

/** Says that the reader is unknown here, and has to join again. */
export interface Gone {
  readonly kind: "gone";
  readonly attempt: number;
}

/** A node leaves. */
export interface Bye {
  readonly kind: "bye";
}

/** What a packet says. */
export type Message = Beat | Join | Joined | Batch | Ack | Gone | Bye;

/** A message, and who it is from. */
export type Packet = Message & {
  readonly v: typeof VERSION;
  readonly from: string;
  /** Tells a node from an earlier one of its name; the newer one has the larger. */
  readonly incarnation: number;
};

/** An item of a batch for all may be for one node only, in its place in the order. */
export type AddressedItem = Item & { readonly only?: string | undefined };

/** What one node tells others. */
export type Item =
  | {
    /** Write to streams. */
    readonly kind: "send";
    /** Sessions whose home the reader is; `undefined` means everyone. */
    readonly sessions?: readonly string[] | undefined;
    readonly data: string;
    /** The how-manieth text to everyone it is of this sender. */
    readonly count?: number | undefined;
    /** How often it was passed on because its session had moved. */
    readonly hops?: number | undefined;
  }
  /** The how-manieth text to everyone was the last before these. */
  | { readonly kind: "count"; readonly count: number }
  /** The sender is the home of sessions. */
  | { readonly kind: "homes"; readonly homes: readonly Home[] }
  /** Asks for everything that the reader is the home of. */
  | { readonly kind: "rehome" }
  /** Everything that the sender is the home of was told. */
  | { readonly kind: "rehomed" }
  /** The sender is the home of a session no longer. */
  | { readonly kind: "left"; readonly id: string; readonly at: Stamp }
  /** What is stored of a session, or that it is deleted. */
  | {
    readonly kind: "record";
    readonly id: string;
    readonly fields: readonly FieldWrite[];
    readonly deleted?: Stamp | undefined;
    /** How many milliseconds ago it was used, where that is not now. */
    readonly age?: number | undefined;
  }
  /** Asks for the records where the reader's sums are others. */
  | { readonly kind: "compare"; readonly sums: readonly number[] }
  /** Everything that `compare` asked for was told. */
  | { readonly kind: "compared" }
  /** A notification for subscriptions, as JSON. */
  | { readonly kind: "notify"; readonly text: string }
  | { readonly kind: "question"; readonly id: number; readonly ask: Question }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  /** Everything that a node has to know of its sender was told, and who is there. */
  | { readonly kind: "welcome"; readonly nodes: readonly string[] };

/** The session, since when it is there, and whether its stream is away. */
export type Home = readonly [id: string, at: Stamp, isParked: boolean];

/** A field of a record, and who wrote it when; `null` for one that was removed. */
export type FieldWrite = readonly [
  field: string,
  value: string | null,
  at: Stamp,
];

/** What one node asks others. */
export type Question =
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
  | { readonly kind: "record"; readonly id: string }
  /** How many milliseconds ago these sessions were used: `[id, ms][]`. */
  | { readonly kind: "used"; readonly ids: readonly string[] }
  /** Whether a subscription exists there: `boolean`. */
  | {
    readonly kind: "subscribed";
    readonly id: string | number;
    readonly origin: string;
    readonly at: Stamp;
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
      Number.isSafeInteger(packet.incarnation) && isMessage(packet)
    ? packet as Packet
    : undefined;
}

/** A position as one reader sees it. */
export function positionFor(node: string, position: Position): number {
  const { number, except } = position;
  return except !== undefined && Object.hasOwn(except, node)
    ? except[node]!
    : number;
}

function isMessage(message: Partial<Packet>): boolean {
  switch (message.kind) {
    case "beat":
      return isPosition(message.newest) && areAcks(message.acks);
    case "join":
    case "gone":
      return isCount(message.attempt);
    case "joined":
      return isCount(message.attempt) && isCount(message.after);
    case "batch":
      return isCount(message.number) && isPosition(message.after) &&
        Array.isArray(message.items) && message.items.every(isItem);
    case "ack":
      return isCount(message.attempt) && isCount(message.number);
    case "bye":
      return true;
    default:
      return false;
  }
}

function isPosition(position: Partial<Position> | null | undefined): boolean {
  const { number, except = {} } = position ?? {};
  return isCount(number) && typeof except === "object" && except !== null &&
    Object.values(except).every(isCount);
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
