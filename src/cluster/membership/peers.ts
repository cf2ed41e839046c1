import type { ClusterError } from "../../errors.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";
import type { PacketBus } from "../messaging/packet_bus.ts";
import type {
  Ack,
  AddressedMessage,
  ClusterMessage,
  Fragment,
  Heartbeat,
  Packet,
} from "../messaging/protocol.ts";
import { ReliableReceiver } from "../messaging/reliable_receiver.ts";
import { ReliableSender } from "../messaging/reliable_sender.ts";
import { Handshakes } from "./handshakes.ts";
import { givenUp, overflow, removedBy } from "./loss_reports.ts";
import type { ClusterStats } from "./node_info.ts";
import type { PeerEvents } from "./peer_listener.ts";

/** What {@linkcode Peers} needs from its node. */
export interface PeersPort extends PeerEvents {
  /** Called with each message of another node, once and in order. */
  readonly onMessage: (from: string, message: AddressedMessage) => void;
  /** Returns the digests of this node's data. */
  readonly digests: () => Readonly<Record<string, number>>;
  /**
   * Called with the digests of another node, when everything it sent before was
   * received.
   */
  readonly onDigests: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
  /** Called when messages may be lost. */
  readonly onError: (error: ClusterError) => void;
}

/** Another node. */
interface Peer {
  readonly incarnation: number;
  lastReceivedAt: number;
  /** Whether the failure detector considers it dead. Its batches are kept. */
  isDown: boolean;
}

/**
 * After how many heartbeats a peer should have acknowledged what was sent to
 * all: its next one may be late, or get lost.
 */
const ACKNOWLEDGED_AFTER_HEARTBEATS = 2.5;
/** After how many missed heartbeats a peer is down. */
const DOWN_AFTER_HEARTBEATS = 3;
/** After how many missed heartbeats a peer is forgotten. */
const FORGET_AFTER_HEARTBEATS = 30;

/**
 * The membership: the other nodes, as this one sees them. Sends heartbeats,
 * detects failures, and joins new nodes.
 *
 * A peer is up once the handshakes of both directions are done: its messages
 * arrive through {@linkcode ReliableReceiver}, and {@linkcode ReliableSender}
 * sends to it.
 */
export class Peers implements PeriodicTask {
  readonly periodMs: number;
  readonly #packetBus: PacketBus;
  readonly #heartbeatMs: number;
  readonly #scheduler: Scheduler;
  readonly #port: PeersPort;
  readonly #sender: ReliableSender;
  readonly #receiver: ReliableReceiver;
  readonly #handshakes: Handshakes;
  readonly #peers: Map<string, Peer> = new Map();
  #heartbeatSentAt = -Infinity;
  #lastRunAt = 0;
  #losses = 0;
  #outages = 0;
  #wasDown = false;
  #isClosed = false;

  constructor(
    packetBus: PacketBus,
    heartbeatMs: number,
    scheduler: Scheduler,
    port: PeersPort,
  ) {
    this.periodMs = checkPeriodFor(heartbeatMs);
    this.#packetBus = packetBus;
    this.#heartbeatMs = heartbeatMs;
    this.#scheduler = scheduler;
    this.#port = port;
    this.#sender = new ReliableSender({
      packetBus,
      scheduler,
      heartbeatTimeoutMs: ACKNOWLEDGED_AFTER_HEARTBEATS * heartbeatMs,
      probe: (receiver) =>
        packetBus.send({ ...this.#heartbeat(), isProbe: true }, receiver),
      announce: () => this.#sendHeartbeat(scheduler.now()),
      onOverflow: (...dropped) => this.#reportLoss(overflow(...dropped)),
      onGivenUp: (...lost) => this.#reportLoss(givenUp(...lost)),
    });
    this.#receiver = new ReliableReceiver(
      packetBus,
      scheduler,
      port.onMessage,
    );
    this.#handshakes = new Handshakes({
      packetBus,
      sender: this.#sender,
      receiver: this.#receiver,
      scheduler,
      onPeerSubscribed: port.onPeerSubscribed,
      onPeerJoining: port.onPeerJoining,
      onPeerUp: port.onPeerUp,
      onRemovedByPeer: (name) => {
        this.#reportLoss(removedBy(name, FORGET_AFTER_HEARTBEATS));
        port.onRemovedByPeer(name);
      },
    });
  }

  /** The counters. */
  get counts(): Omit<ClusterStats, "nodes" | "ignored"> {
    return {
      published: this.#sender.sent,
      received: this.#receiver.received,
      resent: this.#sender.retransmitted,
      lost: this.#losses,
      outages: this.#outages,
    };
  }

  /** The names of the peers that are up. */
  get others(): string[] {
    const others: string[] = [];
    for (const [name, { isDown }] of this.#peers) {
      if (!isDown && this.#handshakes.areDone(name)) others.push(name);
    }
    return others;
  }

  /** Whether there are peers that are not up. */
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

  get #forgetAfterMs(): number {
    return FORGET_AFTER_HEARTBEATS * this.#heartbeatMs;
  }

  /** The names of all peers, including those that are not up. */
  get known(): IterableIterator<string> {
    return this.#peers.keys();
  }

  /** Starts to receive, and sends the first heartbeat. */
  async start(): Promise<void> {
    await this.#packetBus.start((packet) => this.#receive(packet));
    if (this.#isClosed) return;
    this.#scheduler.start(this);
    this.#lastRunAt = this.#scheduler.now();
    this.run(this.#lastRunAt);
  }

  /** Sends a message reliably, to one node or to all. */
  send(message: ClusterMessage, to?: string): void {
    if (!this.#isClosed) this.#sender.send(message, to);
  }

  /**
   * Resolves when peers that are not down have acknowledged what was sent to
   * them before.
   *
   * @param names Their names; by default all.
   */
  flushed(names?: readonly string[]): Promise<void> {
    return this.#sender.flushed(names);
  }

  run(now: number): void {
    if (now - this.#heartbeatSentAt >= this.#heartbeatMs) {
      this.#sendHeartbeat(now);
    }
    this.#detectFailures(now);
    this.#lastRunAt = now;
  }

  /** Leaves the cluster. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#scheduler.stop(this);
    this.#receiver.close();
    this.#sender.close();
    this.#packetBus.send({ kind: "leave" });
    this.#peers.clear();
    await this.#packetBus.close();
  }

  #sendHeartbeat(now: number): void {
    this.#heartbeatSentAt = now;
    const acks = this.#receiver.takeAcks();
    this.#packetBus.send({ ...this.#heartbeat(), acks });
    this.#sender.onAnnounced();
  }

  #heartbeat(): Heartbeat {
    return {
      kind: "heartbeat",
      lastSeq: this.#sender.lastPosition,
      digests: this.#port.digests(),
    };
  }

  /** Failure detector. Also repeats handshakes that were not answered. */
  #detectFailures(now: number): void {
    const { isDown } = this.#packetBus;
    if (isDown && !this.#wasDown) this.#outages++;
    this.#wasDown = isDown;
    // While the bus is down, missing heartbeats say nothing about the peers.
    if (isDown) {
      const elapsedMs = now - this.#lastRunAt;
      for (const peer of this.#peers.values()) peer.lastReceivedAt += elapsedMs;
    }
    for (const [name, peer] of [...this.#peers]) {
      const silentMs = now - peer.lastReceivedAt;
      if (silentMs > this.#forgetAfterMs) this.#forget(name, peer.incarnation);
      else if (silentMs > this.downAfterMs) this.#markDown(name, peer);
      else this.#handshakes.join(name);
    }
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
      peer = { incarnation, lastReceivedAt: now, isDown: false };
      this.#peers.set(from, peer);
    } else if (peer.incarnation > incarnation) return this.#packetBus.ignore();
    peer.lastReceivedAt = now;
    if (peer.isDown) this.#markUp(from, peer);
    this.#handshakes.join(from);
    switch (packet.kind) {
      case "heartbeat":
        return this.#onHeartbeat(from, packet);
      case "join":
        return this.#handshakes.onJoin(from, packet);
      case "joinAck":
        return this.#handshakes.onJoinAck(from, packet);
      case "batch":
        return this.#receiver.onBatch(from, packet);
      case "ack":
        return this.#onAck(from, packet);
      case "fragment":
        return this.#onFragment(from, packet);
      case "unknownPeer":
        return this.#handshakes.onUnknownPeer(from, packet);
    }
  }

  #onFragment(from: string, fragment: Fragment & Packet): void {
    const packet = this.#receiver.onFragment(from, fragment);
    if (packet !== undefined) this.#receive(packet);
  }

  #onHeartbeat(from: string, heartbeat: Heartbeat): void {
    const { acks, digests } = heartbeat;
    const { name } = this.#packetBus;
    if (acks !== undefined && Object.hasOwn(acks, name)) {
      const [handshakeId, seq] = acks[name]!;
      this.#onAck(from, { kind: "ack", handshakeId, seq });
    }
    if (this.#receiver.onHeartbeat(from, heartbeat)) {
      this.#port.onDigests(from, digests ?? {});
    }
  }

  #onAck(from: string, ack: Ack): void {
    const { handshakeId } = ack;
    if (this.#sender.handshakeIdOf(from) === handshakeId) {
      this.#sender.acknowledge(from, ack);
    } else this.#packetBus.send({ kind: "unknownPeer", handshakeId }, from);
  }

  #markDown(name: string, peer: Peer): void {
    if (peer.isDown) return;
    peer.isDown = true;
    this.#sender.suspend(name, true);
    this.#port.onPeerDown(name, false);
  }

  #markUp(name: string, peer: Peer): void {
    peer.isDown = false;
    this.#sender.suspend(name, false);
    if (this.#handshakes.areDone(name)) this.#port.onPeerUp(name, true);
  }

  #forget(name: string, removed?: number): void {
    if (!this.#peers.delete(name)) return;
    this.#handshakes.forget(name, removed);
    this.#port.onPeerDown(name, true);
  }

  #reportLoss(error: ClusterError): void {
    this.#losses++;
    this.#port.onError(error);
  }
}
