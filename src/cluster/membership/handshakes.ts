import { LruMap } from "../../runtime/lru_map.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import type { PacketBus } from "../messaging/packet_bus.ts";
import type { Join, JoinAck, UnknownPeer } from "../messaging/protocol.ts";
import type { ReliableReceiver } from "../messaging/reliable_receiver.ts";
import type { ReliableSender } from "../messaging/reliable_sender.ts";
import type { PeerEvents } from "./peer_listener.ts";

/** After how long an unanswered `join` is repeated, in milliseconds. */
const JOIN_RETRY_MS = 50;
/** How many removed nodes are remembered. */
const MAX_REMOVED = 1_000;
/**
 * The longest time until it is repeated again, in milliseconds. A node that is
 * busy with many others at its start responds late.
 */
const MAX_JOIN_RETRY_MS = 400;

/** What {@linkcode Handshakes} needs. */
export interface HandshakesPort extends Omit<PeerEvents, "onPeerDown"> {
  readonly packetBus: PacketBus;
  readonly sender: ReliableSender;
  readonly receiver: ReliableReceiver;
  readonly scheduler: Scheduler;
}

/** A handshake that this node has started. */
interface Handshake {
  readonly id: number;
  joinSentAt: number;
  retryMs: number;
}

/**
 * The handshakes with other nodes, one for each direction: a node that joins
 * another one becomes a receiver of its batches.
 */
export class Handshakes {
  readonly #port: HandshakesPort;
  readonly #started: Map<string, Handshake> = new Map();
  /** The incarnations that this node has removed, until they join again. */
  readonly #removed: LruMap<string, number> = new LruMap(MAX_REMOVED);
  #lastId = 0;

  constructor(port: HandshakesPort) {
    this.#port = port;
  }

  /** Returns whether the handshakes of both directions are done. */
  areDone(name: string): boolean {
    const { sender, receiver } = this.#port;
    return receiver.hasSender(name) && sender.hasReceiver(name);
  }

  /** Sends a `join`, unless the handshake is done or was started just now. */
  join(name: string): void {
    const { packetBus, sender, receiver, scheduler } = this.#port;
    if (receiver.hasSender(name)) return;
    let handshake = this.#started.get(name);
    if (handshake === undefined) {
      const id = ++this.#lastId;
      handshake = { id, joinSentAt: -Infinity, retryMs: JOIN_RETRY_MS / 2 };
      this.#started.set(name, handshake);
    }
    const now = scheduler.now();
    if (now - handshake.joinSentAt < handshake.retryMs) return;
    handshake.joinSentAt = now;
    handshake.retryMs = Math.min(handshake.retryMs * 2, MAX_JOIN_RETRY_MS);
    packetBus.send({
      kind: "join",
      handshakeId: handshake.id,
      isJoined: sender.hasReceiver(name),
      removed: this.#removed.get(name),
    }, name);
  }

  /** Handles a `join`: its sender becomes a receiver of this node's batches. */
  onJoin(from: string, { handshakeId, isJoined, removed }: Join): void {
    const { packetBus, sender, receiver } = this.#port;
    const knownId = sender.handshakeIdOf(from);
    // A late `join` of an earlier handshake.
    if (knownId !== undefined && knownId > handshakeId) return;
    const afterSeq = sender.addReceiver(from, handshakeId);
    packetBus.send({ kind: "joinAck", handshakeId, afterSeq }, from);
    // A duplicate: the answer was late or got lost.
    if (knownId === handshakeId) return;
    this.#port.onPeerSubscribed(from);
    // They have removed each other.
    if (knownId === undefined && removed === packetBus.incarnation) {
      this.#port.onRemovedByPeer(from);
    }
    if (!receiver.hasSender(from)) return;
    this.#port.onPeerUp(from, false);
    // The peer joins again and has removed this node.
    if (knownId !== undefined && !isJoined) this.#rejoin(from);
  }

  /** Handles a `joinAck`: starts to receive the batches of its sender. */
  onJoinAck(from: string, { handshakeId, afterSeq }: JoinAck): void {
    const { receiver } = this.#port;
    // A duplicate, or the late answer to an earlier handshake.
    if (!this.#isCurrent(from, handshakeId) || receiver.hasSender(from)) return;
    this.#removed.delete(from);
    receiver.addSender(from, handshakeId, afterSeq);
    this.#port.onPeerJoining(from);
    if (this.areDone(from)) this.#port.onPeerUp(from, false);
  }

  /** Handles an `unknownPeer`: its sender has removed this node. */
  onUnknownPeer(from: string, { handshakeId }: UnknownPeer): void {
    const { receiver } = this.#port;
    if (!this.#isCurrent(from, handshakeId) || !receiver.hasSender(from)) {
      return;
    }
    this.#rejoin(from);
  }

  /**
   * Ends the handshakes with a node that is forgotten.
   *
   * @param name The node.
   * @param removed Its incarnation, if it may still be alive.
   */
  forget(name: string, removed?: number): void {
    if (removed === undefined) this.#removed.delete(name);
    else this.#removed.set(name, removed);
    this.#started.delete(name);
    this.#port.receiver.removeSender(name);
    this.#port.sender.removeReceiver(name);
  }

  #isCurrent(name: string, handshakeId: number): boolean {
    return this.#started.get(name)?.id === handshakeId;
  }

  #rejoin(name: string): void {
    this.#port.onRemovedByPeer(name);
    this.#started.delete(name);
    this.#port.receiver.removeSender(name);
    this.join(name);
  }
}
