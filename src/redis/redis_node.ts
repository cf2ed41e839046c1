import { ClusterNode } from "../cluster/membership/cluster_node.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "../cluster/membership/options.ts";
import type { Watcher } from "../runtime/scheduler.ts";
import { callback } from "../runtime/callbacks.ts";
import type { ReportingOptions } from "../contracts/options.ts";
import { optionGroup } from "../contracts/resolve_options.ts";
import type { RedisClients } from "./connection/clients.ts";
import { RedisConnection } from "./connection/connection.ts";
import { Keys } from "./connection/keys.ts";
import { LOG_TTL_MS, LOOK } from "./log/log_scripts.ts";
import { isOutage } from "./connection/redis_errors.ts";
import { RedisBus } from "./redis_bus.ts";

/** Options of a node whose server is Redis. */
export interface RedisOptions {
  /**
   * What all keys and channels begin with, in braces: nodes with the same prefix
   * share their sessions. 1 to 128 letters, digits or characters of `_.:@/-`.
   *
   * @default "mcp"
   */
  readonly prefix?: string | undefined;
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/** What Redis says of what is there. */
export interface State {
  /** Which log it is: another one after Redis has lost it. */
  readonly epoch: string;
  /** The newest event, the newest one for everyone, and for this node alone. */
  readonly last: number;
  readonly all: number;
  readonly own: number;
}

/** What keeps something in Redis. */
export interface Part {
  /** Told now and then what is there. */
  looked?(state: State): void;
  /** The newest event it knows, if it knows any. */
  readonly newest?: number;
  /** Told that messages may have been missed. */
  resubscribed?(): void;
  /**
   * Told that Redis is back.
   *
   * @param isEmpty Whether it may have lost everything.
   */
  back?(isEmpty: boolean): void;
  /** Told of sessions that have their home here now, or whose others may be lost. */
  claimed?(ids: Iterable<string>): void;
  /** Told when the other nodes have had time to tell it again what it had lost. */
  restored?(): void;
  close?(): void;
}

/** How long nodes have to tell an empty Redis what it has lost. */
const RESTORE_BEATS = 3;
const LEAST_RESTORE_MS = 1_000;
/** Every how-manieth beat it is looked whether Redis has lost something. */
const LOOK_BEATS = 10;

/** What the managers of one node share: a server, a bus, and a node on it. */
export class Backend implements Watcher {
  readonly periodMs: number;
  readonly keys: Keys;
  readonly connection: RedisConnection;
  readonly bus: RedisBus;
  readonly node: ClusterNode;
  /** How Redis knows this node. */
  readonly home: string;
  /** Resolves when the other nodes are known; rejects for misuse. */
  readonly ready: Promise<void>;
  readonly report: (error: Error) => void;
  readonly #parts: Part[] = [];
  #known: string | undefined;
  /** Resolves when the others have told Redis again what it has lost. */
  #others: Promise<void> | undefined;
  #over: () => void = () => {};
  /** Whether Redis has lost something that the parts have not told it again. */
  #isEmpty = false;
  #isSubscribed = false;
  #isClosed = false;
  #lookedAt = 0;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /**
   * @param clients What the user handed in.
   * @param part What the channels are for.
   * @param options The user's options.
   * @throws {InvalidArgumentError} For an option of the node that is out of range.
   */
  constructor(
    clients: RedisClients,
    part: string,
    options: RedisOptions & ReportingOptions | undefined,
  ) {
    const { prefix = "mcp", cluster, onError } = optionGroup(
      "options",
      options,
    );
    const settings = resolveClusterOptions(cluster);
    let misuse: Error | undefined;
    try {
      this.keys = new Keys(prefix, part);
    } catch (error) {
      misuse = error as Error;
      this.keys = new Keys("none", part);
    }
    this.report = callback("onError", onError);
    this.periodMs = settings.beatMs;
    this.connection = new RedisConnection(clients, settings.answerMs, misuse);
    this.bus = new RedisBus(this.connection, this.keys, settings.beatMs);
    this.node = new ClusterNode(this.bus, settings, onError);
    const { name, incarnation } = this.node;
    this.home = `${incarnation.toString(36)} ${name}`;
    this.ready = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Whoever does not wait for it is told by `onError`.
    this.ready.catch(() => {});
  }

  /** The key of what Redis knows of this node. */
  get nodeKey(): string {
    return this.keys.nodes + this.home;
  }

  /** Tells the others of sessions that have their home here. */
  claimed(ids: Iterable<string>): void {
    for (const part of this.#parts) part.claimed?.(ids);
  }

  /** Tells a part what becomes of Redis. */
  add(part: Part): void {
    this.#parts.push(part);
  }

  /** Joins the others. All parts have to be there. */
  start(): void {
    void this.#start().then(this.#finish, (error) => {
      this.report(error as Error);
      this.#fail(error);
    });
  }

  /**
   * Whether Redis is out of reach, or was empty a moment ago: before the others have
   * told it their sessions again, nobody finds them.
   */
  get isWaiting(): boolean {
    return this.connection.isDown || this.#others !== undefined;
  }

  /** Resolves when Redis can be reached and knows the sessions of all nodes. */
  async up(): Promise<void> {
    await this.connection.up();
    await this.#others;
  }

  /** Looks what is there. */
  async look(): Promise<void> {
    try {
      if (!this.connection.isDown) await this.#look();
    } catch (error) {
      this.connection.report(error);
    }
  }

  tick(now: number): void {
    if (now - this.#lookedAt < LOOK_BEATS * this.periodMs) return;
    this.#lookedAt = now;
    void this.look();
  }

  /** Whether it has left the others. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Leaves the others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.node.ticker.stop(this);
    await this.node.close();
    this.#over();
    this.connection.close();
    for (const part of this.#parts) part.close?.();
  }

  async #start(): Promise<void> {
    this.bus.onSubscribed(() => {
      this.#isSubscribed = true;
      return this.#look().catch((error) => {
        if (isOutage(error)) return;
        const refused = this.connection.refuse(error);
        this.report(refused);
        this.#fail(refused);
      });
    });
    await this.connection.start({
      look: () => this.#look(),
      onBack: (isOther) => {
        this.#isEmpty ||= isOther;
        this.#tellBack();
        this.bus.resubscribe().catch((error) => this.connection.report(error));
      },
      onResubscribed: () => {
        for (const part of this.#parts) part.resubscribed?.();
      },
      onError: this.report,
    });
    if (this.isClosed) return this.connection.close();
    this.node.ticker.start(this);
    this.node.start();
    await this.node.ready;
  }

  #waitForOthers(): void {
    const isAlone = this.node.others.length === 0 && !this.node.isPartial;
    if (this.#others !== undefined || isAlone) return;
    this.#others = new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer);
        this.#others = undefined;
        resolve();
        for (const part of this.#parts) part.restored?.();
      };
      const timer = setTimeout(
        over,
        Math.max(RESTORE_BEATS * this.periodMs, LEAST_RESTORE_MS),
      );
      (timer as { unref?: () => void }).unref?.();
      this.#over = over;
    });
  }

  async #look(): Promise<void> {
    const [epoch, last, all, own] = await this.connection.attempt(
      LOOK,
      this.keys.log,
      [
        newEpoch(),
        this.nodeKey,
        String(LOG_TTL_MS),
        this.keys.all,
        this.#known ?? "",
        String(Math.max(0, ...this.#parts.map(({ newest = 0 }) => newest))),
      ],
    ) as [string, string, string, string];
    // What was published before this node heard anything is not for it.
    if (!this.#isSubscribed) return;
    this.#isEmpty ||= this.#known !== undefined && epoch !== this.#known;
    this.#known = epoch;
    const state = {
      epoch,
      last: Number(last),
      all: Number(all),
      own: Number(own),
    };
    for (const part of this.#parts) part.looked?.(state);
    if (this.#isEmpty && !this.connection.isDown) this.#tellBack();
  }

  #tellBack(): void {
    const isEmpty = this.#isEmpty;
    this.#isEmpty = false;
    if (isEmpty) this.#waitForOthers();
    // Sessions have to be known before what is for them is added: the log is first.
    for (const part of this.#parts.toReversed()) part.back?.(isEmpty);
  }
}

/** What a log is called that begins now; each has another name. */
export function newEpoch(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
