import { ClusterError } from "../../errors.ts";
import {
  periodFor,
  type Ticker,
  type Watcher,
} from "../../runtime/scheduler.ts";
import { Acknowledgements } from "../messaging/ack_scheduler.ts";
import { Inbox } from "../messaging/reorder_buffer.ts";
import type { LinkEvents } from "./peer_listener.ts";
import { Outbox } from "../messaging/reliable_sender.ts";
import {
  type Ack,
  type AddressedItem,
  type Beat,
  type Item,
  type Join,
  type Packet,
  positionFor,
} from "../messaging/protocol.ts";
import type { Wire } from "../messaging/packet_bus.ts";

/** What {@linkcode Links} asks and tells. */
export interface LinkListener extends LinkEvents {
  /** An item of another node. */
  readonly onItem: (from: string, item: AddressedItem) => void;
  /** What this node has, in numbers. */
  readonly digests: () => Readonly<Record<string, number>>;
  /** What another node has, in numbers, once everything it sent was read. */
  readonly onDigests: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
  /** Told of what fails, and of what may be lost. */
  readonly onError: (error: ClusterError) => void;
}

/** Another node. */
interface Peer {
  readonly incarnation: number;
  heardAt: number;
  attempt: number;
  beats: number;
  askedAt: number;
  /** What this node reads of it; nothing before it has let this node join. */
  inbox: Inbox | undefined;
  /** Whether it is taken for dead. What is sent is kept for it for a while. */
  isSilent: boolean;
}

/** How many beats a node may miss before it is taken for dead. */
const MISSED_BEATS = 3;
/** How many before nothing is kept for it any more. */
const MISSED_FOR_GOOD = 30;
/** How often to ask again to join, in milliseconds. */
const PATIENCE_MS = 50;

/** The links of a node to all others: who is there, and what goes to and fro. */
export class Links implements Watcher {
  readonly periodMs: number;
  readonly #wire: Wire;
  readonly #beatMs: number;
  readonly #ticker: Ticker;
  readonly #listener: LinkListener;
  readonly #peers: Map<string, Peer> = new Map();
  readonly #outbox: Outbox;
  readonly #acknowledgements: Acknowledgements;
  #attempts = 0;
  #beatAt = -Infinity;
  #tickedAt = 0;
  #received = 0;
  #lost = 0;
  #isClosed = false;

  constructor(
    wire: Wire,
    beatMs: number,
    ticker: Ticker,
    listener: LinkListener,
  ) {
    this.#wire = wire;
    this.#beatMs = beatMs;
    this.#ticker = ticker;
    this.#listener = listener;
    this.periodMs = periodFor(beatMs);
    this.#outbox = new Outbox({
      flow: wire.flow,
      write: (batch) => wire.write(batch),
      publish: (text, to) => wire.publish(text, to),
      probe: (reader) => wire.send({ ...this.#beat(), isProbe: true }, reader),
      onOverflow: (items) =>
        this.#lose(
          `${items} messages to other nodes were dropped: they come faster than ` +
            "they can be sent.",
        ),
      ticker,
    });
    this.#acknowledgements = new Acknowledgements(
      wire.flow,
      ticker,
      (message, to) => wire.send(message, to),
      (node) => {
        const { inbox, attempt = 0 } = this.#peers.get(node) ?? {};
        return inbox && { inbox, attempt };
      },
    );
  }

  /** What was counted so far. */
  get counts(): Record<"published" | "received" | "resent" | "lost", number> {
    return {
      published: this.#outbox.published,
      received: this.#received,
      resent: this.#outbox.resent,
      lost: this.#lost,
    };
  }

  /** The names of the nodes that hear this one, and that it hears. */
  get others(): string[] {
    const others: string[] = [];
    for (const [name, { inbox, isSilent }] of this.#peers) {
      if (inbox !== undefined && !isSilent && this.#outbox.hasReader(name)) {
        others.push(name);
      }
    }
    return others;
  }

  /** Whether nodes that were heard of cannot be asked now. */
  get isPartial(): boolean {
    return this.others.length < this.#peers.size;
  }

  /** Whether a node lives, as that incarnation. */
  isAlive(name: string, incarnation: number): boolean {
    const peer = this.#peers.get(name);
    return peer?.incarnation === incarnation && !peer.isSilent;
  }

  /** The names of all nodes that were heard of. */
  get known(): IterableIterator<string> {
    return this.#peers.keys();
  }

  /** Begins to receive, and shows that this node is there. */
  async start(): Promise<void> {
    await this.#wire.start((packet) => this.#receive(packet));
    if (this.#isClosed) return;
    this.#ticker.start(this);
    this.#tickedAt = this.#ticker.now();
    this.tick(this.#tickedAt);
  }

  /** Sends an item that has to arrive, to one node or all. */
  tell(item: Item, to?: string): void {
    if (!this.#isClosed) this.#outbox.add(item, to);
  }

  /** Resolves when all nodes that live have what they were told. */
  settled(): Promise<void> {
    return this.#outbox.settled();
  }

  /** Shows that this node lives, and looks for those that do not. */
  tick(now: number): void {
    if (now - this.#beatAt >= this.#beatMs) {
      this.#beatAt = now;
      // Where they are said sooner, there is nothing to gain.
      const acks = this.#wire.flow.ackMs > this.#beatMs
        ? this.#acknowledgements.take()
        : undefined;
      this.#wire.send({ ...this.#beat(), acks });
    }
    const passed = now - this.#tickedAt;
    this.#tickedAt = now;
    // Nobody can be heard.
    if (this.#wire.isDown) {
      for (const peer of this.#peers.values()) peer.heardAt += passed;
    }
    for (const [name, peer] of [...this.#peers]) {
      const silence = now - peer.heardAt;
      if (silence > MISSED_FOR_GOOD * this.#beatMs) this.#forget(name);
      else if (silence > MISSED_BEATS * this.#beatMs) this.#silence(name, peer);
      else if (peer.inbox === undefined) this.#join(name, peer, now);
    }
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ticker.stop(this);
    this.#acknowledgements.close();
    this.#outbox.close();
    this.#wire.send({ kind: "bye" });
    this.#peers.clear();
    await this.#wire.close();
  }

  #receive(packet: Packet): void {
    const { from, incarnation } = packet;
    const now = this.#ticker.now();
    let peer = this.#peers.get(from);
    if (peer !== undefined && peer.incarnation < incarnation) {
      this.#forget(from);
      peer = undefined;
    }
    if (packet.kind === "bye") {
      if (peer?.incarnation === incarnation) this.#forget(from);
      return;
    }
    if (peer === undefined) {
      peer = {
        incarnation,
        heardAt: now,
        attempt: 0,
        beats: 0,
        askedAt: -Infinity,
        inbox: undefined,
        isSilent: false,
      };
      this.#peers.set(from, peer);
    } else if (peer.incarnation > incarnation) return this.#wire.ignore();
    peer.heardAt = now;
    if (peer.isSilent) this.#welcomeBack(from, peer);
    if (peer.inbox === undefined) this.#join(from, peer, now);
    this.#hear(from, peer, packet);
  }

  #hear(from: string, peer: Peer, packet: Packet): void {
    switch (packet.kind) {
      case "beat":
        return this.#hearBeat(from, peer, packet);
      case "join":
        return this.#letJoin(from, peer, packet);
      case "joined":
        if (packet.attempt !== peer.attempt || peer.inbox) return;
        peer.inbox = new Inbox(this.#wire.name, packet.after);
        this.#listener.onJoin(from);
        if (this.#outbox.hasReader(from)) this.#listener.onMeet(from, false);
        return;
      case "batch":
        if (peer.inbox === undefined) return;
        this.#received++;
        for (const item of peer.inbox.take(packet)) {
          this.#listener.onItem(from, item);
        }
        return this.#acknowledgements.owe(from);
      case "ack":
        return this.#hearAck(from, packet);
      case "gone":
        if (packet.attempt !== peer.attempt || !peer.inbox) return;
        return this.#rejoin(from, peer);
    }
  }

  #hearAck(from: string, ack: Ack): void {
    const { attempt } = ack;
    if (this.#outbox.attemptOf(from) === attempt) {
      this.#outbox.acknowledge(from, ack);
    } else this.#wire.send({ kind: "gone", attempt }, from);
  }

  #hearBeat(
    from: string,
    peer: Peer,
    { newest, digests, isProbe, acks }: Extract<Packet, { kind: "beat" }>,
  ): void {
    const { inbox } = peer;
    const own = this.#wire.name;
    if (acks !== undefined && Object.hasOwn(acks, own)) {
      const [attempt, number] = acks[own]!;
      this.#hearAck(from, { kind: "ack", attempt, number });
    }
    if (inbox === undefined) return;
    const number = positionFor(own, newest);
    inbox.heardOf(number);
    if (isProbe) inbox.hurry();
    const isDue = ++peer.beats % this.#wire.flow.ackBeats === 0;
    if (isProbe || isDue || inbox.isMissing) this.#acknowledgements.owe(from);
    if (inbox.number === number) {
      this.#listener.onDigests(from, digests ?? {});
    }
  }

  #join(name: string, peer: Peer, now: number): void {
    if (now - peer.askedAt < PATIENCE_MS) return;
    peer.askedAt = now;
    if (peer.attempt === 0) peer.attempt = ++this.#attempts;
    const { attempt } = peer;
    const isJoined = this.#outbox.hasReader(name);
    this.#wire.send({ kind: "join", attempt, isJoined }, name);
  }

  #letJoin(from: string, peer: Peer, { attempt, isJoined }: Join): void {
    const known = this.#outbox.attemptOf(from);
    if (known !== undefined && known > attempt) return;
    const after = this.#outbox.addReader(from, attempt);
    this.#wire.send({ kind: "joined", attempt, after }, from);
    if (known === attempt) return;
    this.#listener.onReader(from);
    if (peer.inbox !== undefined) this.#listener.onMeet(from, false);
    // It has forgotten this node, and keeps nothing for it any more.
    const isBack = known !== undefined && !isJoined;
    if (isBack && peer.inbox !== undefined) this.#rejoin(from, peer);
  }

  #rejoin(name: string, peer: Peer): void {
    this.#lose(
      `Messages of node "${name}" may be lost: it was not heard for so long that ` +
        "it has forgotten this node. What it has is fetched again.",
      name,
    );
    peer.inbox = undefined;
    peer.attempt = 0;
    peer.askedAt = -Infinity;
    this.#join(name, peer, this.#ticker.now());
  }

  #silence(name: string, peer: Peer): void {
    if (peer.isSilent) return;
    peer.isSilent = true;
    this.#outbox.suspend(name, true);
    this.#listener.onLeave(name, false);
  }

  #welcomeBack(name: string, peer: Peer): void {
    peer.isSilent = false;
    this.#outbox.suspend(name, false);
    if (peer.inbox === undefined || !this.#outbox.hasReader(name)) return;
    this.#listener.onMeet(name, true);
  }

  #forget(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.#outbox.removeReader(name);
    this.#listener.onLeave(name, true);
  }

  #lose(message: string, node?: string): void {
    this.#lost++;
    this.#listener.onError(new ClusterError(message, { node }));
  }

  #beat(): Beat {
    return {
      kind: "beat",
      newest: this.#outbox.position,
      digests: this.#listener.digests(),
    };
  }
}
