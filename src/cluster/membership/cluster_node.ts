import { callback } from "../../runtime/callbacks.ts";
import { atTheLatest } from "../../runtime/deadline.ts";
import { Ticker } from "../../runtime/scheduler.ts";
import { Clock } from "./hybrid_clock.ts";
import { Discovery } from "./discovery.ts";
import { Links } from "./peers.ts";
import type { Listener } from "./peer_listener.ts";
import type { MessageBus } from "../messaging/message_bus.ts";
import type { ClusterSettings } from "./options.ts";
import type { AddressedItem, Item, Question } from "../messaging/protocol.ts";
import { type Answer, Questions } from "../messaging/rpc.ts";
import { Wire } from "../messaging/packet_bus.ts";

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

type Handler<Kind extends Item["kind"]> = (
  item: Extract<Item, { kind: Kind }>,
  from: string,
) => void;

/** How to ask. */
export interface AskOptions {
  /**
   * Whom.
   *
   * @default undefined all others
   */
  readonly nodes?: readonly string[] | undefined;
  /**
   * How much longer than `answerMs` to wait, in milliseconds.
   *
   * @default 0
   */
  readonly extraMs?: number | undefined;
}

/**
 * One node of a cluster, as its parts see it: knows the others, tells them what has
 * to arrive, once and in order, and asks them questions.
 */
export class ClusterNode {
  /** The name of this node. */
  readonly name: string;
  /** Stamps what this node writes. */
  readonly clock: Clock;
  /** Resolves when other nodes were found and what they have is known here. */
  readonly ready: Promise<void>;
  /** Runs what has to be looked at again and again. */
  readonly ticker: Ticker = new Ticker();
  readonly #settings: ClusterSettings;
  readonly #report: (error: Error) => void;
  readonly #wire: Wire;
  readonly #links: Links;
  readonly #questions: Questions;
  readonly #handlers: Map<string, (item: never, from: string) => void> =
    new Map();
  readonly #listeners: Listener[] = [];
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
    this.clock = new Clock(this.name);
    this.#settings = settings;
    this.#report = callback("onError", onError);
    this.#wire = new Wire(this.name, bus, this.#report);
    this.#links = new Links(this.#wire, settings.beatMs, this.ticker, {
      onItem: (from, item) => this.#read(from, item),
      onReader: (name) => {
        this.#notify(({ onReader }) => onReader?.(name));
        this.tell(name, { kind: "welcome", nodes: this.others });
      },
      onJoin: (name) => this.#notify(({ onJoin }) => onJoin?.(name)),
      onMeet: (name, isBack) =>
        this.#notify(({ onMeet }) => onMeet?.(name, isBack)),
      onLeave: (name, isForGood) => {
        this.#discovery.left(name);
        this.#questions.left(name);
        this.#notify(({ onLeave }) => onLeave?.(name, isForGood));
      },
      digests: () =>
        Object.fromEntries(
          this.#listeners.flatMap(({ digest }) => digest ? [digest()] : []),
        ),
      onDigests: (name, digests) =>
        this.#notify(({ onDigest }) => onDigest?.(name, digests)),
      onError: this.#report,
    });
    this.#questions = new Questions(
      (node, item) => this.tell(node, item),
      this.#report,
    );
    this.#discovery = new Discovery(this.name, {
      aloneMs: settings.beatMs / 4,
      mostMs: settings.answerMs,
      known: () => this.#links.known,
      isReady: () =>
        this.#listeners.every(({ isReady }) => isReady?.() ?? true),
    });
    this.ready = this.#discovery.done;
  }

  /** Joins the others. Parts have to listen before. */
  start(): void {
    void this.#discovery.start(() => this.#links.start());
  }

  /** The names of all other nodes that live. */
  get others(): string[] {
    return this.#links.others;
  }

  /** Tells this node from earlier ones of its name. */
  get incarnation(): number {
    return this.#wire.incarnation;
  }

  /** Whether another node lives, as that incarnation. */
  isAlive(name: string, incarnation: number): boolean {
    return this.#links.isAlive(name, incarnation);
  }

  /** Whether nodes that were heard of cannot be asked now. */
  get isPartial(): boolean {
    return this.#links.isPartial;
  }

  /** How long to wait for other nodes, in milliseconds. */
  get answerMs(): number {
    return this.#settings.answerMs;
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
      ...this.#links.counts,
      ignored: this.#wire.ignored,
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
    this.#links.tell(item);
  }

  /** Tells a node something. */
  tell(node: string, item: Item): void {
    this.#links.tell(item, node);
  }

  /**
   * Asks nodes, by default all others that are known once this one is ready.
   *
   * @param ask What.
   * @param options Whom, and how long to wait.
   * @returns The answers that came in time, by node.
   */
  async ask(
    ask: Question,
    options?: AskOptions,
  ): Promise<ReadonlyMap<string, unknown>> {
    return await this.#ask(ask, options);
  }

  /**
   * Whether any node answers `true`; the others are not waited for then.
   *
   * @param ask What to ask.
   * @param options Whom, and how long to wait.
   */
  async askAny(ask: Question, options?: AskOptions): Promise<boolean> {
    const answers = await this.#ask(ask, options, isTrue);
    return [...answers.values()].some(isTrue);
  }

  /** Resolves when all other nodes know what they were told, or take too long. */
  async settled(): Promise<void> {
    if (this.#isClosed || this.others.length === 0) return;
    await atTheLatest(this.#links.settled(), this.#settings.answerMs);
  }

  /** Notes a message that was of no use. */
  ignore(): void {
    this.#wire.ignore();
  }

  /** Reports what failed. */
  report(error: Error): void {
    this.#report(error);
  }

  /** Leaves the others. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.settled();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#questions.close();
    this.#discovery.end();
    await this.#links.close();
  }

  async #ask(
    ask: Question,
    { nodes, extraMs = 0 }: AskOptions = {},
    isEnough?: (answer: unknown) => boolean,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!this.#discovery.isDone) await this.ready;
    if (this.#isClosed) return new Map();
    const { others } = this;
    const asked = nodes?.filter((name) => others.includes(name)) ?? others;
    const patienceMs = this.#settings.answerMs + extraMs;
    return await this.#questions.ask(asked, ask, patienceMs, isEnough);
  }

  #read(from: string, item: AddressedItem): void {
    try {
      switch (item.kind) {
        case "question":
          return void this.#questions.answer(from, item.id, item.ask);
        case "answer":
          return this.#questions.answered(from, item.id, item.answer);
        case "welcome":
          return this.#discovery.welcomed(from, item.nodes);
      }
      const handler = this.#handlers.get(item.kind);
      if (handler === undefined) this.#wire.ignore();
      else handler(item as never, from);
    } catch (error) {
      // Nothing that another node says may break this one.
      this.#wire.ignore();
      this.#report(error as Error);
    }
  }

  #notify(tell: (listener: Listener) => void): void {
    for (const listener of this.#listeners) tell(listener);
  }
}

function isTrue(answer: unknown): boolean {
  return answer === true;
}
