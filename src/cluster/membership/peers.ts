import { ClusterError } from "../../errors.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";
import { AckScheduler } from "../messaging/ack_scheduler.ts";
import { ReorderBuffer } from "../messaging/reorder_buffer.ts";
import type { PeerEvents } from "./peer_listener.ts";
import { ReliableSender } from "../messaging/reliable_sender.ts";
import {
  type Ack,
  type AddressedMessage,
  type ClusterMessage,
  type Heartbeat,
  type Join,
  type Packet,
  seqFor,
} from "../messaging/protocol.ts";
import type { PacketBus } from "../messaging/packet_bus.ts";

/** What {@linkcode Peers} needs from its node. */
export interface PeersOwner extends PeerEvents {
  /** A message of another node. */
  readonly onItem: (from: string, message: AddressedMessage) => void;
  /** Returns the digests of this node. */
  readonly digests: () => Readonly<Record<string, number>>;
  /**
   * Called with the digests of another node, when everything it sent before was
   * received.
   */
  readonly onDigests: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
  /** Called with failures, and with messages that may be lost. */
  readonly onError: (error: ClusterError) => void;
}

/** Another node. */
interface Peer {
  readonly incarnation: number;
  lastReceivedAt: number;
  handshakeId: number;
  heartbeats: number;
  joinSentAt: number;
  /** Receives its batches; `undefined` until it has accepted this node. */
  reorderBuffer: ReorderBuffer | undefined;
  /** Whether it is down. What is sent to it is kept for a while. */
  isDown: boolean;
}

/** After how many missed heartbeats a node is down. */
const DOWN_AFTER_HEARTBEATS = 3;
/** After how many missed heartbeats nothing more is kept for a node. */
const FORGET_AFTER_HEARTBEATS = 30;
/** How often an unanswered `join` is repeated, in milliseconds. */
const JOIN_RETRY_MS = 50;

/**
 * The other nodes, as this one sees them: the failure detector, the handshakes,
 * and the messages in both directions.
 */
export class Peers implements PeriodicTask {
  readonly periodMs: number;
  readonly #packetBus: PacketBus;
  readonly #heartbeatMs: number;
  readonly #scheduler: Scheduler;
  readonly #listener: PeersOwner;
  readonly #peers: Map<string, Peer> = new Map();
  readonly #sender: ReliableSender;
  readonly #acks: AckScheduler;
  #handshakes = 0;
  #heartbeatAt = -Infinity;
  #lastRunAt = 0;
  #received = 0;
  #lost = 0;
  #isClosed = false;

  constructor(
    packetBus: PacketBus,
    heartbeatMs: number,
    scheduler: Scheduler,
    listener: PeersOwner,
  ) {
    this.#packetBus = packetBus;
    this.#heartbeatMs = heartbeatMs;
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.periodMs = checkPeriodFor(heartbeatMs);
    this.#sender = new ReliableSender({
      flowControl: packetBus.flowControl,
      write: (batch) => packetBus.write(batch),
      publish: (text, to) => packetBus.publish(text, to),
      probe: (receiver) =>
        packetBus.send({ ...this.#heartbeat(), isProbe: true }, receiver),
      onOverflow: (messages) =>
        this.#reportLoss(
          `${messages} messages to other nodes were dropped, because they are sent ` +
            "faster than the message bus carries them.",
        ),
      scheduler: scheduler,
    });
    this.#acks = new AckScheduler(
      packetBus.flowControl,
      scheduler,
      (message, to) => packetBus.send(message, to),
      (node) => {
        const { reorderBuffer, handshakeId = 0 } = this.#peers.get(node) ?? {};
        return reorderBuffer && { reorderBuffer, handshakeId };
      },
    );
  }

  /** The counters. */
  get counts(): Record<"published" | "received" | "resent" | "lost", number> {
    return {
      published: this.#sender.published,
      received: this.#received,
      resent: this.#sender.resent,
      lost: this.#lost,
    };
  }

  /** The names of the nodes that are subscribed to this one and vice versa. */
  get others(): string[] {
    const others: string[] = [];
    for (const [name, { reorderBuffer, isDown }] of this.#peers) {
      if (
        reorderBuffer !== undefined && !isDown && this.#sender.hasReceiver(name)
      ) {
        others.push(name);
      }
    }
    return others;
  }

  /** Whether known nodes can't be asked at the moment. */
  get isPartial(): boolean {
    return this.others.length < this.#peers.size;
  }

  /** After how long without a heartbeat a node is down, in milliseconds. */
  get downAfterMs(): number {
    return DOWN_AFTER_HEARTBEATS * this.#heartbeatMs;
  }

  /** Returns whether a node is alive, as that incarnation. */
  isAlive(name: string, incarnation: number): boolean {
    const peer = this.#peers.get(name);
    return peer?.incarnation === incarnation && !peer.isDown;
  }

  /** The names of all known nodes. */
  get known(): IterableIterator<string> {
    return this.#peers.keys();
  }

  /** Starts to receive, and announces this node. */
  async start(): Promise<void> {
    await this.#packetBus.start((packet) => this.#receive(packet));
    if (this.#isClosed) return;
    this.#scheduler.start(this);
    this.#lastRunAt = this.#scheduler.now();
    this.run(this.#lastRunAt);
  }

  /** Sends a message that must arrive, to one node or all. */
  send(message: ClusterMessage, to?: string): void {
    if (!this.#isClosed) this.#sender.add(message, to);
  }

  /**
   * Resolves when all nodes that are alive have received what was sent to them.
   */
  flushed(): Promise<void> {
    return this.#sender.flushed();
  }

  /** Sends a heartbeat, and checks those of the others. */
  run(now: number): void {
    if (now - this.#heartbeatAt >= this.#heartbeatMs) {
      this.#heartbeatAt = now;
      // Heartbeats carry acknowledgements only if nothing else brings them
      // sooner.
      const acks = this.#packetBus.flowControl.ackDelayMs > this.#heartbeatMs
        ? this.#acks.takeForHeartbeat()
        : undefined;
      this.#packetBus.send({ ...this.#heartbeat(), acks });
    }
    const elapsedMs = now - this.#lastRunAt;
    this.#lastRunAt = now;
    // While the bus is down, missed heartbeats mean nothing.
    if (this.#packetBus.isDown) {
      for (const peer of this.#peers.values()) peer.lastReceivedAt += elapsedMs;
    }
    for (const [name, peer] of [...this.#peers]) {
      const silentMs = now - peer.lastReceivedAt;
      if (silentMs > FORGET_AFTER_HEARTBEATS * this.#heartbeatMs) {
        this.#forget(name);
      } else if (silentMs > this.downAfterMs) {
        this.#markDown(name, peer);
      } else if (peer.reorderBuffer === undefined) this.#join(name, peer, now);
    }
  }

  /** Announces that this node leaves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#scheduler.stop(this);
    this.#acks.close();
    this.#sender.close();
    this.#packetBus.send({ kind: "leave" });
    this.#peers.clear();
    await this.#packetBus.close();
  }

  #receive(packet: Packet): void {
    const { from, incarnation } = packet;
    const now = this.#scheduler.now();
    let peer = this.#peers.get(from);
    if (peer !== undefined && peer.incarnation < incarnation) {
      this.#forget(from);
      peer = undefined;
    }
    if (packet.kind === "leave") {
      if (peer?.incarnation === incarnation) this.#forget(from);
      return;
    }
    if (peer === undefined) {
      peer = {
        incarnation,
        lastReceivedAt: now,
        handshakeId: 0,
        heartbeats: 0,
        joinSentAt: -Infinity,
        reorderBuffer: undefined,
        isDown: false,
      };
      this.#peers.set(from, peer);
    } else if (peer.incarnation > incarnation) return this.#packetBus.ignore();
    peer.lastReceivedAt = now;
    if (peer.isDown) this.#markUp(from, peer);
    if (peer.reorderBuffer === undefined) this.#join(from, peer, now);
    this.#receiveFrom(from, peer, packet);
  }

  #receiveFrom(from: string, peer: Peer, packet: Packet): void {
    switch (packet.kind) {
      case "heartbeat":
        return this.#receiveHeartbeat(from, peer, packet);
      case "join":
        return this.#acceptJoin(from, peer, packet);
      case "joinAck":
        if (packet.handshakeId !== peer.handshakeId || peer.reorderBuffer) {
          return;
        }
        peer.reorderBuffer = new ReorderBuffer(
          this.#packetBus.name,
          packet.afterSeq,
        );
        this.#listener.onPeerJoining(from);
        if (this.#sender.hasReceiver(from)) {
          this.#listener.onPeerUp(from, false);
        }
        return;
      case "batch":
        if (peer.reorderBuffer === undefined) return;
        this.#received++;
        for (const message of peer.reorderBuffer.receive(packet)) {
          this.#listener.onItem(from, message);
        }
        return this.#acks.schedule(from);
      case "ack":
        return this.#receiveAck(from, packet);
      case "unknownPeer":
        if (packet.handshakeId !== peer.handshakeId || !peer.reorderBuffer) {
          return;
        }
        return this.#rejoin(from, peer);
    }
  }

  #receiveAck(from: string, ack: Ack): void {
    const { handshakeId } = ack;
    if (this.#sender.handshakeIdOf(from) === handshakeId) {
      this.#sender.acknowledge(from, ack);
    } else this.#packetBus.send({ kind: "unknownPeer", handshakeId }, from);
  }

  #receiveHeartbeat(
    from: string,
    peer: Peer,
    { lastSeq, digests, isProbe, acks }: Extract<Packet, { kind: "heartbeat" }>,
  ): void {
    const { reorderBuffer } = peer;
    const ownSeq = this.#packetBus.name;
    if (acks !== undefined && Object.hasOwn(acks, ownSeq)) {
      const [attempt, number] = acks[ownSeq]!;
      this.#receiveAck(from, {
        kind: "ack",
        handshakeId: attempt,
        seq: number,
      });
    }
    if (reorderBuffer === undefined) return;
    const number = seqFor(ownSeq, lastSeq);
    reorderBuffer.observe(number);
    if (isProbe) reorderBuffer.requestAck();
    const isDue =
      ++peer.heartbeats % this.#packetBus.flowControl.heartbeatsPerAck === 0;
    if (isProbe || isDue || reorderBuffer.hasGap) this.#acks.schedule(from);
    if (reorderBuffer.seq === number) {
      this.#listener.onDigests(from, digests ?? {});
    }
  }

  #join(name: string, peer: Peer, now: number): void {
    if (now - peer.joinSentAt < JOIN_RETRY_MS) return;
    peer.joinSentAt = now;
    if (peer.handshakeId === 0) peer.handshakeId = ++this.#handshakes;
    const { handshakeId } = peer;
    const isJoined = this.#sender.hasReceiver(name);
    this.#packetBus.send({ kind: "join", handshakeId, isJoined }, name);
  }

  #acceptJoin(from: string, peer: Peer, { handshakeId, isJoined }: Join): void {
    const known = this.#sender.handshakeIdOf(from);
    if (known !== undefined && known > handshakeId) return;
    const after = this.#sender.addReceiver(from, handshakeId);
    this.#packetBus.send(
      { kind: "joinAck", handshakeId, afterSeq: after },
      from,
    );
    if (known === handshakeId) return;
    this.#listener.onPeerSubscribed(from);
    if (peer.reorderBuffer !== undefined) this.#listener.onPeerUp(from, false);
    // The peer has forgotten this node and keeps nothing for it.
    const isBack = known !== undefined && !isJoined;
    if (isBack && peer.reorderBuffer !== undefined) this.#rejoin(from, peer);
  }

  #rejoin(name: string, peer: Peer): void {
    this.#reportLoss(
      `Messages of node "${name}" may be lost: it was unreachable for so long that ` +
        "it has forgotten this node. Its data is requested again.",
      name,
    );
    peer.reorderBuffer = undefined;
    peer.handshakeId = 0;
    peer.joinSentAt = -Infinity;
    this.#join(name, peer, this.#scheduler.now());
  }

  #markDown(name: string, peer: Peer): void {
    if (peer.isDown) return;
    peer.isDown = true;
    this.#sender.suspend(name, true);
    this.#listener.onPeerDown(name, false);
  }

  #markUp(name: string, peer: Peer): void {
    peer.isDown = false;
    this.#sender.suspend(name, false);
    if (peer.reorderBuffer === undefined || !this.#sender.hasReceiver(name)) {
      return;
    }
    this.#listener.onPeerUp(name, true);
  }

  #forget(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.#sender.removeReceiver(name);
    this.#listener.onPeerDown(name, true);
  }

  #reportLoss(message: string, node?: string): void {
    this.#lost++;
    this.#listener.onError(new ClusterError(message, { node }));
  }

  #heartbeat(): Heartbeat {
    return {
      kind: "heartbeat",
      lastSeq: this.#sender.lastPosition,
      digests: this.#listener.digests(),
    };
  }
}
