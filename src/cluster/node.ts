import { callback } from "../callbacks.ts";
import { ClusterError } from "../errors.ts";
import { periodFor, Ticker, type Watcher } from "../in_memory/ticker.ts";
import { atEndOfTurn } from "../in_memory/turn.ts";
import { Clock } from "./clock.ts";
import { Inbox } from "./inbox.ts";
import type { MessageBus } from "./message_bus.ts";
import type { ClusterSettings } from "./options.ts";
import { Outbox, WINDOW } from "./outbox.ts";
import {
  type AddressedItem,
  type Batch,
  type Item,
  type Join,
  type Message,
  type Packet,
  positionFor,
  type Question,
  readPacket,
  VERSION,
} from "./protocol.ts";
import { type Answer, Questions } from "./questions.ts";

/** A node of a cluster. */
export interface NodeInfo {
  /** Its name. */
  readonly name: string;
  /** Whether it is the one that was asked. */
  readonly isSelf: boolean;
}

/** What a node counts of the cluster. */
export interface ClusterStats {
  /** How many nodes live, this one included. */
  readonly nodes: number;
  /** How many batches this node has sent. */
  readonly published: number;
  /** How many batches it has got. */
  readonly received: number;
  /** How many batches it had to send again. */
  readonly resent: number;
  /** How often it lost what others had sent, and told `onError` so. */
  readonly lost: number;
  /** How many messages it ignored: garbage, or of another version. */
  readonly ignored: number;
}

/** A part of a node that hears of others. */
export interface Listener {
  /** Another node listens from now on: what does it have to know? */
  readonly onReader?: (node: string) => void;
  /** This node hears everything of another one from now on. */
  readonly onJoin?: (node: string) => void;
  /** A node has left, or died. */
  readonly onLeave?: (node: string) => void;
  /** Whether it knows what the nodes have that were met at first. */
  readonly isReady?: () => boolean;
  /** What this node has, as a number. */
  readonly digest?: () => [name: string, digest: number];
  /** What another node has, as a number, once everything it sent was read. */
  readonly onDigest?: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
}

type Handler<Kind extends Item["kind"]> = (
  item: Extract<Item, { kind: Kind }>,
  from: string,
) => void;

/** Another node. */
interface Peer {
  readonly incarnation: number;
  heardAt: number;
  attempt: number;
  joinedAt: number;
  /** What this node reads of it; nothing before it has let this node join. */
  inbox: Inbox | undefined;
  isWelcome: boolean;
}

/** How many beats may be missed. */
const MISSED_BEATS = 3;
/** How often to ask again to join, and for batches, in milliseconds. */
const PATIENCE_MS = 50;
/** After how long a batch is acknowledged at the latest, in milliseconds. */
const ACK_MS = 20;
/** How long a new node looks for others, in milliseconds. */
const DISCOVERY_MS = 50;

/**
 * One node of a cluster: knows the others, tells them what has to arrive, once and
 * in order, and asks them questions.
 */
export class ClusterNode implements Watcher {
  /** The name of this node. */
  readonly name: string;
  /** Stamps what this node writes. */
  readonly clock: Clock;
  /** Resolves when other nodes were found and what they have is known here. */
  readonly ready: Promise<void>;
  readonly periodMs: number;
  /** Runs what has to be looked at again and again. */
  readonly ticker: Ticker = new Ticker();
  readonly #bus: MessageBus;
  readonly #settings: ClusterSettings;
  readonly #report: (error: Error) => void;
  readonly #incarnation = Date.now() * 1_000 +
    Math.floor(Math.random() * 1_000);
  readonly #peers: Map<string, Peer> = new Map();
  readonly #outbox: Outbox;
  readonly #questions: Questions;
  readonly #handlers: Map<string, (item: never, from: string) => void> =
    new Map();
  readonly #listeners: Listener[] = [];
  readonly #owing: Set<string> = new Set();
  readonly #acks: Watcher;
  #isAckScheduled = false;
  #attempts = 0;
  #beatAt = -Infinity;
  #startedAt = 0;
  #beReady: () => void = () => {};
  #isReady = false;
  #isClosed = false;
  #isBusBroken = false;
  #received = 0;
  #lost = 0;
  #ignored = 0;

  /**
   * @param bus What carries its messages.
   * @param settings Its name and timings.
   * @param onError Told of what fails.
   */
  constructor(
    bus: MessageBus,
    settings: ClusterSettings,
    onError: ((error: Error) => void) | undefined,
  ) {
    this.name = settings.node;
    this.clock = new Clock(this.name);
    this.periodMs = periodFor(settings.beatMs);
    this.#bus = bus;
    this.#settings = settings;
    this.#report = callback("onError", onError);
    this.#outbox = new Outbox({
      write: (batch) => this.#write(batch),
      publish: (text, to) => this.#publish(text, to),
      probe: (reader) => this.#send(this.#beat(), reader),
      onOverflow: (items) => {
        this.#lost++;
        this.#report(
          new ClusterError(
            `${items} messages to other nodes were dropped: they come faster ` +
              "than they can be sent.",
          ),
        );
      },
      now: () => this.ticker.now(),
      start: (watcher) => this.ticker.start(watcher),
      stop: (watcher) => this.ticker.stop(watcher),
    });
    this.#questions = new Questions(
      (node, item) => this.tell(node, item),
      settings.answerMs,
      this.#report,
    );
    this.#acks = { periodMs: ACK_MS, tick: () => this.#acknowledge(true) };
    this.ready = new Promise((resolve) => this.#beReady = resolve);
  }

  /** Joins the others. Parts have to listen before. */
  start(): void {
    void this.#start();
  }

  /** The names of the other nodes that hear this one, and that it hears. */
  get others(): string[] {
    const others: string[] = [];
    for (const [name, { inbox }] of this.#peers) {
      if (inbox !== undefined && this.#outbox.hasReader(name)) {
        others.push(name);
      }
    }
    return others;
  }

  /** All nodes that live, this one first. */
  nodes(): NodeInfo[] {
    return [
      { name: this.name, isSelf: true },
      ...this.others.map((name) => ({ name, isSelf: false })),
    ];
  }

  /** What was counted so far. */
  stats(): ClusterStats {
    return {
      nodes: this.others.length + 1,
      published: this.#outbox.published,
      received: this.#received,
      resent: this.#outbox.resent,
      lost: this.#lost,
      ignored: this.#ignored,
    };
  }

  /** Lets a part hear of other nodes. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Handles a kind of items from now on. */
  handle<Kind extends Item["kind"]>(kind: Kind, handler: Handler<Kind>): void {
    this.#handlers.set(kind, handler);
  }

  /** Answers a kind of questions from now on. */
  answer<Kind extends Question["kind"]>(
    kind: Kind,
    answer: Answer<Kind>,
  ): void {
    this.#questions.handle(kind, answer);
  }

  /** Tells all other nodes something. */
  tellAll(item: Item): void {
    if (!this.#isClosed) this.#outbox.add(item);
  }

  /** Tells a node something. */
  tell(node: string, item: Item): void {
    if (!this.#isClosed) this.#outbox.add(item, node);
  }

  /**
   * Asks nodes, by default all others that are known once this one is ready.
   *
   * @param ask What.
   * @param isEnough Whether an answer makes the others needless.
   * @param nodes Whom.
   * @returns The answers that came in time, by node.
   */
  async ask(
    ask: Question,
    isEnough?: (answer: unknown) => boolean,
    nodes?: readonly string[],
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!this.#isReady) await this.ready;
    if (this.#isClosed) return new Map();
    return await this.#questions.ask(nodes ?? this.others, ask, isEnough);
  }

  /** Resolves when all other nodes know what they were told, or take too long. */
  async settled(): Promise<void> {
    if (this.#isClosed || this.#peers.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.answerMs);
    });
    await Promise.race([this.#outbox.settled(), late]);
    clearTimeout(timer);
  }

  /** Reports what failed. */
  report(error: Error): void {
    this.#report(error);
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.settled();
    this.#isClosed = true;
    this.ticker.stop(this);
    this.ticker.stop(this.#acks);
    this.#outbox.close();
    this.#questions.close();
    this.#becomeReady();
    this.#send({ kind: "bye" });
    this.#peers.clear();
    try {
      await this.#bus.close();
    } catch (error) {
      this.#report(busError(error));
    }
  }

  /** Shows that it lives, and looks for those that do not. */
  tick(now: number): void {
    const { beatMs } = this.#settings;
    if (now - this.#beatAt >= beatMs) {
      this.#beatAt = now;
      this.#send(this.#beat());
    }
    for (const [name, peer] of [...this.#peers]) {
      if (now - peer.heardAt > MISSED_BEATS * beatMs) this.#leave(name);
      else if (peer.inbox === undefined) this.#join(name, peer, now);
    }
    this.#checkReady();
  }

  async #start(): Promise<void> {
    try {
      await this.#bus.start(this.name, (text) => this.#receive(text));
    } catch (error) {
      this.#report(busError(error));
    }
    if (this.#isClosed) return;
    this.ticker.start(this);
    this.#startedAt = Date.now();
    this.tick(this.ticker.now());
    // Keeps the process alive, for whoever waits until this node is ready.
    const discovery = setInterval(() => {
      this.#checkReady();
      if (this.#isReady) clearInterval(discovery);
    }, DISCOVERY_MS);
  }

  #receive(text: string): void {
    if (this.#isClosed) return;
    const packet = readPacket(text);
    if (packet === undefined) {
      this.#ignored++;
      return;
    }
    const { from, incarnation } = packet;
    if (from === this.name) {
      // A bus that echoes, or a second node of this name.
      if (incarnation !== this.#incarnation) this.#ignored++;
      return;
    }
    const now = this.ticker.now();
    let peer = this.#peers.get(from);
    if (peer !== undefined && peer.incarnation < incarnation) {
      this.#leave(from);
      peer = undefined;
    }
    if (packet.kind === "bye") {
      if (peer?.incarnation === incarnation) this.#leave(from);
      return;
    }
    if (peer === undefined) {
      peer = {
        incarnation,
        heardAt: now,
        attempt: 0,
        joinedAt: -Infinity,
        inbox: undefined,
        isWelcome: false,
      };
      this.#peers.set(from, peer);
    } else if (peer.incarnation > incarnation) return;
    peer.heardAt = now;
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
        peer.inbox = new Inbox(this.name, packet.after);
        return this.#notify(({ onJoin }) => onJoin?.(from));
      case "batch":
        return this.#hearBatch(from, peer, packet);
      case "ack":
        if (this.#outbox.attemptOf(from) === packet.attempt) {
          this.#outbox.acknowledge(from, packet);
        } else this.#send({ kind: "gone", attempt: packet.attempt }, from);
        return;
      case "gone":
        if (packet.attempt !== peer.attempt || !peer.inbox) return;
        return this.#rejoin(from, peer, "was told too late");
    }
  }

  #hearBeat(
    from: string,
    { inbox }: Peer,
    { newest, digests }: Extract<Packet, { kind: "beat" }>,
  ): void {
    if (inbox === undefined) return;
    const number = positionFor(this.name, newest);
    inbox.heardOf(number);
    if (inbox.isMissing) this.#owe(from);
    else if (inbox.number === number) {
      // Whoever asks wants to know that it is here.
      this.#owe(from);
      this.#notify(({ onDigest }) => onDigest?.(from, digests ?? {}));
    }
  }

  #hearBatch(from: string, { inbox }: Peer, batch: Batch): void {
    if (inbox === undefined) return;
    this.#received++;
    for (const item of inbox.take(batch)) this.#read(from, item);
    this.#owe(from);
  }

  #read(from: string, item: AddressedItem): void {
    try {
      switch (item.kind) {
        case "question":
          return void this.#questions.answer(from, item.id, item.ask);
        case "answer":
          return this.#questions.answered(from, item.id, item.answer);
        case "welcome":
          return this.#welcome(from);
      }
      const handler = this.#handlers.get(item.kind);
      if (handler === undefined) this.#ignored++;
      else handler(item as never, from);
    } catch (error) {
      // Nothing that another node says may break this one.
      this.#ignored++;
      this.#report(error as Error);
    }
  }

  #welcome(from: string): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    peer.isWelcome = true;
    this.#checkReady();
  }

  #join(name: string, peer: Peer, now: number): void {
    if (now - peer.joinedAt < PATIENCE_MS) return;
    peer.joinedAt = now;
    if (peer.attempt === 0) peer.attempt = ++this.#attempts;
    const { attempt } = peer;
    const isJoined = this.#outbox.hasReader(name);
    this.#send({ kind: "join", attempt, isJoined }, name);
  }

  #rejoin(name: string, peer: Peer, reason: string): void {
    this.#lost++;
    this.#report(
      new ClusterError(
        `Messages of node "${name}" may be lost: this node ${reason}. ` +
          "What it has is fetched again.",
        { node: name },
      ),
    );
    peer.inbox = undefined;
    peer.isWelcome = false;
    peer.attempt = 0;
    peer.joinedAt = -Infinity;
    this.#join(name, peer, this.ticker.now());
  }

  #letJoin(from: string, peer: Peer, { attempt, isJoined }: Join): void {
    const known = this.#outbox.attemptOf(from);
    if (known !== undefined && known > attempt) return;
    const isNew = known !== attempt;
    const after = this.#outbox.addReader(from, attempt);
    this.#send({ kind: "joined", attempt, after }, from);
    if (isNew) {
      this.#notify(({ onReader }) => onReader?.(from));
      this.tell(from, { kind: "welcome" });
    }
    // It has taken this node for dead, and keeps nothing for it any more.
    const isBack = isNew && known !== undefined && !isJoined;
    if (isBack && peer.inbox !== undefined) {
      this.#rejoin(from, peer, "was taken for dead");
    }
  }

  #leave(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.#owing.delete(name);
    this.#outbox.removeReader(name);
    this.#questions.left(name);
    this.#notify(({ onLeave }) => onLeave?.(name));
    this.#checkReady();
  }

  #checkReady(): void {
    const waited = Date.now() - this.#startedAt;
    if (this.#isReady || waited < DISCOVERY_MS) return;
    const isLate = waited >= Math.max(this.#settings.answerMs, DISCOVERY_MS);
    for (const { isWelcome } of this.#peers.values()) {
      if (!isWelcome && !isLate) return;
    }
    if (!isLate && this.#listeners.some((part) => part.isReady?.() === false)) {
      return;
    }
    this.#becomeReady();
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#beReady();
  }

  #owe(name: string): void {
    this.#owing.add(name);
    this.ticker.start(this.#acks);
    if (this.#isAckScheduled) return;
    this.#isAckScheduled = true;
    atEndOfTurn(() => {
      this.#isAckScheduled = false;
      this.#acknowledge(false);
    });
  }

  #acknowledge(isTime: boolean): void {
    const now = this.ticker.now();
    for (const name of this.#owing) {
      const peer = this.#peers.get(name);
      const inbox = peer?.inbox;
      if (peer === undefined || inbox === undefined) {
        this.#owing.delete(name);
        continue;
      }
      if (!inbox.isDue(WINDOW, now, PATIENCE_MS)) {
        if (!isTime || inbox.isMissing) continue;
      }
      const isMissing = inbox.isMissing;
      inbox.acknowledged(now);
      if (!isMissing) this.#owing.delete(name);
      this.#send({
        kind: "ack",
        attempt: peer.attempt,
        number: inbox.number,
        isMissing: isMissing || undefined,
      }, name);
    }
    if (this.#owing.size === 0) this.ticker.stop(this.#acks);
  }

  #beat(): Message {
    const digests: Record<string, number> = {};
    for (const { digest } of this.#listeners) {
      if (digest === undefined) continue;
      const [name, value] = digest();
      digests[name] = value;
    }
    return { kind: "beat", newest: this.#outbox.position, digests };
  }

  #notify(tell: (listener: Listener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }

  #write(message: Message): string {
    return JSON.stringify({
      v: VERSION,
      from: this.name,
      incarnation: this.#incarnation,
      ...message,
    });
  }

  #send(message: Message, to?: string): void {
    this.#publish(this.#write(message), to);
  }

  #publish(text: string, to: string | undefined): void {
    try {
      const published = this.#bus.publish(text, to);
      if (published === undefined) this.#isBusBroken = false;
      else {
        published.then(
          () => this.#isBusBroken = false,
          (error) => this.#busFailed(error),
        );
      }
    } catch (error) {
      this.#busFailed(error);
    }
  }

  /** Once for each time that the bus is out of order. */
  #busFailed(error: unknown): void {
    if (this.#isBusBroken || this.#isClosed) return;
    this.#isBusBroken = true;
    this.#report(busError(error));
  }
}

function busError(cause: unknown): ClusterError {
  return new ClusterError(
    "The other nodes cannot be reached: the message bus failed.",
    { cause },
  );
}
