import { callback } from "../callbacks.ts";
import { Ticker } from "../in_memory/ticker.ts";
import { Clock } from "./clock.ts";
import { Links } from "./links.ts";
import type { MessageBus } from "./message_bus.ts";
import type { ClusterSettings } from "./options.ts";
import type { AddressedItem, Item, Question } from "./protocol.ts";
import { type Answer, Questions } from "./questions.ts";
import { Wire } from "./wire.ts";

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

/** A part of a node that hears of others. */
export interface Listener {
  /** Another node listens from now on: what does it have to know? */
  readonly onReader?: (node: string) => void;
  /** This node hears all of another one from now on, and nothing from before. */
  readonly onJoin?: (node: string) => void;
  /** This node and another one hear each other; again, where one was silent. */
  readonly onMeet?: (node: string, isBack: boolean) => void;
  /** A node has left for good, or is taken for dead. */
  readonly onLeave?: (node: string, isForGood: boolean) => void;
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

/** How often a new node looks whether it knows all others, in milliseconds. */
const DISCOVERY_MS = 50;

/** How to ask. */
export interface AskOptions {
  /**
   * Whom.
   *
   * @default undefined all others
   */
  readonly nodes?: readonly string[] | undefined;
  /** Whether an answer makes the others needless. */
  readonly isEnough?: ((answer: unknown) => boolean) | undefined;
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
  /** Nodes that have told what they have. */
  readonly #welcomed: Set<string> = new Set();
  /** Nodes that others have met. */
  readonly #named: Set<string> = new Set();
  #beReady: () => void = () => {};
  #discovery: ReturnType<typeof setInterval> | undefined;
  #isReady = false;
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
    this.ready = new Promise((resolve) => this.#beReady = resolve);
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
        this.#welcomed.delete(name);
        this.#named.delete(name);
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
  }

  /** Joins the others. Parts have to listen before. */
  start(): void {
    void this.#start();
  }

  /** The names of all other nodes that live. */
  get others(): string[] {
    return this.#links.others;
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
    { nodes, isEnough, extraMs = 0 }: AskOptions = {},
  ): Promise<ReadonlyMap<string, unknown>> {
    if (!this.#isReady) await this.ready;
    if (this.#isClosed) return new Map();
    const { others } = this;
    const asked = nodes?.filter((name) => others.includes(name)) ?? others;
    const patienceMs = this.#settings.answerMs + extraMs;
    return await this.#questions.ask(asked, ask, patienceMs, isEnough);
  }

  /** Resolves when all other nodes know what they were told, or take too long. */
  async settled(): Promise<void> {
    if (this.#isClosed || this.others.length === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.answerMs);
    });
    await Promise.race([this.#links.settled(), late]);
    clearTimeout(timer);
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
    this.#becomeReady();
    await this.#links.close();
  }

  async #start(): Promise<void> {
    const startedAt = Date.now();
    let isStarted = false;
    // Keeps the process alive, for whoever waits until this node is ready.
    this.#discovery = setInterval(() => {
      const waited = Date.now() - startedAt;
      const isAlone = this.#welcomed.size === 0;
      const knowsOthers = isStarted && this.#knowsOthers() &&
        (!isAlone || waited >= this.#settings.beatMs / 4);
      if (knowsOthers || waited >= this.#settings.answerMs) {
        this.#becomeReady();
      }
    }, DISCOVERY_MS);
    await this.#links.start();
    isStarted = true;
  }

  #knowsOthers(): boolean {
    this.#named.delete(this.name);
    for (const name of [...this.#links.known, ...this.#named]) {
      if (!this.#welcomed.has(name)) return false;
    }
    return this.#listeners.every(({ isReady }) => isReady?.() ?? true);
  }

  #becomeReady(): void {
    this.#isReady = true;
    clearInterval(this.#discovery);
    this.#named.clear();
    this.#beReady();
  }

  #read(from: string, item: AddressedItem): void {
    try {
      switch (item.kind) {
        case "question":
          return void this.#questions.answer(from, item.id, item.ask);
        case "answer":
          return this.#questions.answered(from, item.id, item.answer);
        case "welcome":
          this.#welcomed.add(from);
          if (this.#isReady) return;
          for (const name of item.nodes ?? []) this.#named.add(name);
          return;
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
