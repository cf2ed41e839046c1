import { safeCallback } from "../../runtime/callbacks.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import { Scheduler } from "../../runtime/scheduler.ts";
import { HybridLogicalClock } from "./hybrid_clock.ts";
import { Discovery } from "./discovery.ts";
import type { ClusterStats, NodeInfo } from "./node_info.ts";
import { Peers } from "./peers.ts";
import type { PeerListener } from "./peer_listener.ts";
import type { RequestOptions } from "./request_options.ts";
import type { MessageBus } from "../messaging/message_bus.ts";
import type { ClusterSettings } from "./options.ts";
import type {
  AddressedMessage,
  ClusterMessage,
  SyncDone,
} from "../messaging/protocol.ts";
import type { RpcRequest } from "../messaging/rpc_protocol.ts";
import { type RequestHandler, Rpc } from "../messaging/rpc.ts";
import { PacketBus } from "../messaging/packet_bus.ts";
import { deciderOf, MAX_WITNESSES, witnessesOf } from "./witnesses.ts";

type Handler<Kind extends ClusterMessage["kind"]> = (
  message: Extract<ClusterMessage, { kind: Kind }>,
  from: string,
) => void;

/**
 * One node of a cluster, as its components use it: knows the other nodes, sends
 * them messages that arrive once and in order, and calls their handlers.
 */
export class ClusterNode {
  /** The name of this node. */
  readonly name: string;
  /** Creates the timestamps of this node's writes. */
  readonly clock: HybridLogicalClock;
  /** Resolves when the other nodes were found and their data was received. */
  readonly ready: Promise<void>;
  /** Runs periodic work. */
  readonly scheduler: Scheduler = new Scheduler();
  readonly #settings: ClusterSettings;
  readonly #report: (error: Error) => void;
  readonly #packetBus: PacketBus;
  readonly #peers: Peers;
  readonly #rpc: Rpc;
  readonly #handlers: Map<string, (message: never, from: string) => void> =
    new Map();
  readonly #listeners: PeerListener[] = [];
  readonly #discovery: Discovery;
  #isClosed = false;

  /**
   * @param bus Carries the messages.
   * @param settings The node's name and timings.
   * @param onError Called with failures.
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
        onMessage: (from, message) => this.#receive(from, message),
        onPeerSubscribed: (name) => {
          this.#notify(({ onPeerSubscribed }) => onPeerSubscribed?.(name));
          this.#sendSyncDone(name);
        },
        onPeerJoining: (name) =>
          this.#notify(({ onPeerJoining }) => onPeerJoining?.(name)),
        onPeerUp: (name, isBack) =>
          this.#notify(({ onPeerUp }) => onPeerUp?.(name, isBack)),
        onRemovedByPeer: (name) =>
          this.#notify(({ onRemovedByPeer }) => onRemovedByPeer?.(name)),
        onPeerDown: (name, isForGood) => {
          this.#discovery.onPeerDown(name);
          this.#rpc.onPeerDown(name);
          this.#notify(({ onPeerDown }) => onPeerDown?.(name, isForGood));
        },
        digests: () => this.#digests,
        onDigests: (name, digests) =>
          this.#notify(({ onDigest }) => onDigest?.(name, digests)),
        onError: this.#report,
      },
    );
    this.#rpc = new Rpc(
      (node, message) => this.send(node, message),
      this.scheduler,
      this.#report,
    );
    this.#discovery = new Discovery(this.name, {
      aloneAfterMs: settings.heartbeatMs / 4,
      maxWaitMs: settings.requestTimeoutMs,
      known: () => this.#peers.known,
      isDown: () => this.#packetBus.isDown,
      isReady: () =>
        this.#listeners.every(({ isReady }) => isReady?.() ?? true),
    });
    this.ready = this.#discovery.done;
  }

  /**
   * Joins the other nodes. Components must have registered their handlers and
   * listeners.
   */
  start(): void {
    void this.#discovery.start(() => this.#peers.start());
  }

  /** The names of all other nodes that are alive. */
  get others(): string[] {
    return this.#peers.others;
  }

  /** Distinguishes this node from earlier ones of its name. */
  get incarnation(): number {
    return this.#packetBus.incarnation;
  }

  /** Returns whether another node is alive, as that incarnation. */
  isAlive(name: string, incarnation: number): boolean {
    return this.#peers.isAlive(name, incarnation);
  }

  /** Whether known nodes can't be asked at the moment. */
  get isPartial(): boolean {
    return this.#peers.isPartial;
  }

  /** Whether nobody can be asked, as the bus is down, or was at the start. */
  get isUnreachable(): boolean {
    return this.#packetBus.isDown || !this.#discovery.hasFound;
  }

  /** How long to wait for other nodes, in milliseconds. */
  get requestTimeoutMs(): number {
    return this.#settings.requestTimeoutMs;
  }

  /** After how long without a heartbeat a node is down, in milliseconds. */
  get downAfterMs(): number {
    return this.#peers.downAfterMs;
  }

  /** Returns all nodes that are alive; this one is the first. */
  nodes(): NodeInfo[] {
    return [
      { name: this.name, isSelf: true },
      ...this.others.map((name) => ({ name, isSelf: false })),
    ];
  }

  /** Returns the counters. */
  stats(): ClusterStats {
    return {
      nodes: this.others.length + 1,
      ...this.#peers.counts,
      ignored: this.#packetBus.ignored,
    };
  }

  /** Adds a listener for changes of the membership. */
  listen(listener: PeerListener): void {
    this.#listeners.push(listener);
  }

  /** Sets the handler of a kind of message. */
  handle<Kind extends ClusterMessage["kind"]>(
    kind: Kind,
    handler: Handler<Kind>,
  ): void {
    this.#handlers.set(kind, handler);
  }

  /** Sets the handler of a kind of request. */
  respond<Kind extends RpcRequest["kind"]>(
    kind: Kind,
    handler: RequestHandler<Kind>,
  ): void {
    this.#rpc.handle(kind, handler);
  }

  /** Sends a message to all other nodes. */
  broadcast(message: ClusterMessage): void {
    this.#peers.send(message);
  }

  /** Sends a message to a node. */
  send(node: string, message: ClusterMessage): void {
    this.#peers.send(message, node);
  }

  /**
   * Sends a request to nodes. Waits until this node is ready.
   *
   * @param request The request.
   * @param options Which nodes, and how long to wait.
   * @returns The responses that arrived in time, by node.
   */
  async request(
    request: RpcRequest,
    { nodes, session, extraTimeoutMs = 0, isSufficient }: RequestOptions = {},
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!this.#discovery.isDone) await this.ready;
    if (this.#isClosed) return new Map();
    const { others } = this;
    const targets = nodes?.filter((name) => others.includes(name)) ??
      (session === undefined ? others : witnessesOf(session, others));
    const timeoutMs = this.#settings.requestTimeoutMs + extraTimeoutMs;
    return await this.#rpc.request(targets, request, timeoutMs, isSufficient);
  }

  /**
   * Returns whether any node responds with `true`. Does not wait for the others
   * then.
   *
   * @param request The request.
   * @param options Which nodes, and how long to wait.
   */
  async requestAny(
    request: RpcRequest,
    options?: RequestOptions,
  ): Promise<boolean> {
    const responses = await this.request(request, {
      ...options,
      isSufficient: (answer) => answer === true,
    });
    return [...responses.values()].includes(true);
  }

  /**
   * Resolves when other nodes have received what was sent to them, or after a
   * timeout.
   *
   * @param nodes Their names; by default all.
   */
  async flushed(nodes: readonly string[] = this.others): Promise<void> {
    if (this.#isClosed || nodes.length === 0) return;
    await waitAtMost(
      this.#peers.flushed(nodes),
      this.#settings.requestTimeoutMs,
    );
  }

  /** Whether there are so many nodes that only some of them are witnesses. */
  get asksWitnesses(): boolean {
    return this.others.length > MAX_WITNESSES;
  }

  /** Returns which of the other nodes are witnesses of a session. */
  witnessesOf(session: string): string[] {
    return witnessesOf(session, this.others);
  }

  /** Returns the node that decides about a key, which may be this one. */
  deciderOf(key: string): string {
    return deciderOf(key, [this.name, ...this.others]);
  }

  /** Counts a message that was ignored. */
  ignore(): void {
    this.#packetBus.ignore();
  }

  /** Reports a failure. */
  report(error: Error): void {
    this.#report(error);
  }

  /** Leaves the cluster. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.flushed();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rpc.close();
    this.#discovery.end();
    await this.#peers.close();
  }

  #receive(from: string, message: AddressedMessage): void {
    try {
      switch (message.kind) {
        case "request":
          return void this.#rpc.respond(from, message.id, message.request);
        case "response":
          return this.#rpc.onResponse(from, message.id, message.response);
        case "lost":
          return this.#notify(({ onLost }) => onLost?.(from, message));
        case "syncDone":
          return this.#onSynced(from, message);
      }
      const handler = this.#handlers.get(message.kind);
      if (handler === undefined) this.#packetBus.ignore();
      else handler(message as never, from);
    } catch (error) {
      // No message of another node may break this one.
      this.#packetBus.ignore();
      this.#report(error as Error);
    }
  }

  get #digests(): Record<string, number> {
    return Object.fromEntries(
      this.#listeners.flatMap(({ digest }) => digest ? [digest()] : []),
    );
  }

  #sendSyncDone(name: string): void {
    const nodes = this.others;
    this.send(name, { kind: "syncDone", nodes, digests: this.#digests });
  }

  #onSynced(from: string, { nodes, digests }: SyncDone): void {
    this.#notify(({ onPeerSynced }) => onPeerSynced?.(from, digests));
    this.#discovery.onSynced(from, nodes);
  }

  #notify(notify: (listener: PeerListener) => void): void {
    for (const listener of this.#listeners) notify(listener);
  }
}
