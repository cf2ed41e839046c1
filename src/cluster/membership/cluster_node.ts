import { safeCallback } from "../../runtime/callbacks.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import { Scheduler } from "../../runtime/scheduler.ts";
import { HybridLogicalClock } from "./hybrid_clock.ts";
import { Discovery } from "./discovery.ts";
import { Peers } from "./peers.ts";
import type { PeerListener } from "./peer_listener.ts";
import type { MessageBus } from "../messaging/message_bus.ts";
import type { ClusterSettings } from "./options.ts";
import type {
  AddressedMessage,
  ClusterMessage,
  RpcRequest,
} from "../messaging/protocol.ts";
import { type RequestHandler, Rpc } from "../messaging/rpc.ts";
import { PacketBus } from "../messaging/packet_bus.ts";

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
  /** How many batches of messages this node has sent. */
  readonly published: number;
  /** How many batches it has got. */
  readonly received: number;
  /** How many batches it had to send again. */
  readonly resent: number;
  /** How often messages may have been lost, as `onError` was told. */
  readonly lost: number;
  /** How many messages it ignored: garbage, or of another version. */
  readonly ignored: number;
}

type Handler<Kind extends ClusterMessage["kind"]> = (
  item: Extract<ClusterMessage, { kind: Kind }>,
  from: string,
) => void;

/** How to ask. */
export interface RequestOptions {
  /**
   * Whom.
   *
   * @default undefined all others
   */
  readonly nodes?: readonly string[] | undefined;
  /**
   * How much longer than `requestTimeoutMs` to wait, in milliseconds.
   *
   * @default 0
   */
  readonly extraTimeoutMs?: number | undefined;
}

/**
 * One node of a cluster, as its parts see it: knows the others, tells them what has
 * to arrive, once and in order, and asks them questions.
 */
export class ClusterNode {
  /** The name of this node. */
  readonly name: string;
  /** Stamps what this node writes. */
  readonly clock: HybridLogicalClock;
  /** Resolves when other nodes were found and what they have is known here. */
  readonly ready: Promise<void>;
  /** Runs what has to be looked at again and again. */
  readonly scheduler: Scheduler = new Scheduler();
  readonly #settings: ClusterSettings;
  readonly #report: (error: Error) => void;
  readonly #packetBus: PacketBus;
  readonly #peers: Peers;
  readonly #rpc: Rpc;
  readonly #handlers: Map<string, (item: never, from: string) => void> =
    new Map();
  readonly #listeners: PeerListener[] = [];
  readonly #discovery: Discovery;
  #isClosed = false;

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
    this.clock = new HybridLogicalClock(this.name);
    this.#settings = settings;
    this.#report = safeCallback("onError", onError);
    this.#packetBus = new PacketBus(this.name, bus, this.#report);
    this.#peers = new Peers(
      this.#packetBus,
      settings.heartbeatMs,
      this.scheduler,
      {
        onItem: (from, item) => this.#receive(from, item),
        onPeerSubscribed: (name) => {
          this.#notify(({ onPeerSubscribed }) => onPeerSubscribed?.(name));
          this.send(name, { kind: "syncDone", nodes: this.others });
        },
        onPeerJoining: (name) =>
          this.#notify(({ onPeerJoining }) => onPeerJoining?.(name)),
        onPeerUp: (name, isBack) =>
          this.#notify(({ onPeerUp }) => onPeerUp?.(name, isBack)),
        onPeerDown: (name, isForGood) => {
          this.#discovery.onPeerDown(name);
          this.#rpc.onPeerDown(name);
          this.#notify(({ onPeerDown }) => onPeerDown?.(name, isForGood));
        },
        digests: () =>
          Object.fromEntries(
            this.#listeners.flatMap(({ digest }) => digest ? [digest()] : []),
          ),
        onDigests: (name, digests) =>
          this.#notify(({ onDigest }) => onDigest?.(name, digests)),
        onError: this.#report,
      },
    );
    this.#rpc = new Rpc(
      (node, item) => this.send(node, item),
      this.#report,
    );
    this.#discovery = new Discovery(this.name, {
      aloneAfterMs: settings.heartbeatMs / 4,
      maxWaitMs: settings.requestTimeoutMs,
      known: () => this.#peers.known,
      isReady: () =>
        this.#listeners.every(({ isReady }) => isReady?.() ?? true),
    });
    this.ready = this.#discovery.done;
  }

  /** Joins the others. Parts have to listen before. */
  start(): void {
    void this.#discovery.start(() => this.#peers.start());
  }

  /** The names of all other nodes that live. */
  get others(): string[] {
    return this.#peers.others;
  }

  /** Tells this node from earlier ones of its name. */
  get incarnation(): number {
    return this.#packetBus.incarnation;
  }

  /** Whether another node lives, as that incarnation. */
  isAlive(name: string, incarnation: number): boolean {
    return this.#peers.isAlive(name, incarnation);
  }

  /** Whether nodes that were heard of cannot be asked now. */
  get isPartial(): boolean {
    return this.#peers.isPartial;
  }

  /** How long to wait for other nodes, in milliseconds. */
  get requestTimeoutMs(): number {
    return this.#settings.requestTimeoutMs;
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
      ...this.#peers.counts,
      ignored: this.#packetBus.ignored,
    };
  }

  /** Lets a part hear of other nodes. */
  listen(listener: PeerListener): void {
    this.#listeners.push(listener);
  }

  /** Handles a kind of items from now on. */
  handle<Kind extends ClusterMessage["kind"]>(
    kind: Kind,
    handler: Handler<Kind>,
  ): void {
    this.#handlers.set(kind, handler);
  }

  /** Answers a kind of questions from now on. */
  respond<Kind extends RpcRequest["kind"]>(
    kind: Kind,
    answer: RequestHandler<Kind>,
  ): void {
    this.#rpc.handle(kind, answer);
  }

  /** Tells all other nodes something. */
  broadcast(item: ClusterMessage): void {
    this.#peers.send(item);
  }

  /** Tells a node something. */
  send(node: string, item: ClusterMessage): void {
    this.#peers.send(item, node);
  }

  /**
   * Asks nodes, by default all others that are known once this one is ready.
   *
   * @param ask What.
   * @param options Whom, and how long to wait.
   * @returns The answers that came in time, by node.
   */
  async request(
    ask: RpcRequest,
    options?: RequestOptions,
  ): Promise<ReadonlyMap<string, unknown>> {
    return await this.#request(ask, options);
  }

  /**
   * Whether any node answers `true`; the others are not waited for then.
   *
   * @param ask What to ask.
   * @param options Whom, and how long to wait.
   */
  async requestAny(
    ask: RpcRequest,
    options?: RequestOptions,
  ): Promise<boolean> {
    const answers = await this.#request(ask, options, isTrue);
    return [...answers.values()].some(isTrue);
  }

  /** Resolves when all other nodes know what they were told, or take too long. */
  async flushed(): Promise<void> {
    if (this.#isClosed || this.others.length === 0) return;
    await waitAtMost(this.#peers.flushed(), this.#settings.requestTimeoutMs);
  }

  /** Notes a message that was of no use. */
  ignore(): void {
    this.#packetBus.ignore();
  }

  /** Reports what failed. */
  report(error: Error): void {
    this.#report(error);
  }

  /** Leaves the others. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.flushed();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rpc.close();
    this.#discovery.end();
    await this.#peers.close();
  }

  async #request(
    ask: RpcRequest,
    { nodes, extraTimeoutMs = 0 }: RequestOptions = {},
    isEnough?: (answer: unknown) => boolean,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!this.#discovery.isDone) await this.ready;
    if (this.#isClosed) return new Map();
    const { others } = this;
    const asked = nodes?.filter((name) => others.includes(name)) ?? others;
    const patienceMs = this.#settings.requestTimeoutMs + extraTimeoutMs;
    return await this.#rpc.request(asked, ask, patienceMs, isEnough);
  }

  #receive(from: string, item: AddressedMessage): void {
    try {
      switch (item.kind) {
        case "request":
          return void this.#rpc.respond(from, item.id, item.request);
        case "response":
          return this.#rpc.onResponse(from, item.id, item.response);
        case "syncDone":
          return this.#discovery.onSynced(from, item.nodes);
      }
      const handler = this.#handlers.get(item.kind);
      if (handler === undefined) this.#packetBus.ignore();
      else handler(item as never, from);
    } catch (error) {
      // Nothing that another node says may break this one.
      this.#packetBus.ignore();
      this.#report(error as Error);
    }
  }

  #notify(tell: (listener: PeerListener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }
}

function isTrue(answer: unknown): boolean {
  return answer === true;
}
