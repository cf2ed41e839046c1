import { ClusterNode } from "../cluster/membership/cluster_node.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "../cluster/membership/options.ts";
import type { PeriodicTask } from "../runtime/scheduler.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { ErrorReportingOptions } from "../contracts/options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { RedisClients } from "./connection/clients.ts";
import { RedisConnection } from "./connection/connection.ts";
import { RedisKeys } from "./connection/keys.ts";
import { LOG_TTL_MS, LOOK } from "./log/log_scripts.ts";
import { isTransientError } from "./connection/redis_errors.ts";
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
export interface LogState {
  /** Which log it is: another one after Redis has lost it. */
  readonly epoch: string;
  /** The newest event, the newest one for everyone, and for this node alone. */
  readonly lastEvent: number;
  readonly lastBroadcast: number;
  readonly lastDirect: number;
}

/** What keeps something in Redis. */
export interface RedisComponent {
  /** Told now and then what is there. */
  onLogState?(state: LogState): void;
  /** The newest event it knows, if it knows any. */
  readonly newest?: number;
  /** Told that messages may have been missed. */
  onResubscribed?(): void;
  /**
   * Told that Redis is back.
   *
   * @param isEmpty Whether it may have lost everything.
   */
  onReconnected?(isEmpty: boolean): void;
  /** Told of sessions that have their home here now, or whose others may be lost. */
  onSessionsClaimed?(ids: Iterable<string>): void;
  /** Told when the other nodes have had time to tell it again what it had lost. */
  onRecovered?(): void;
  close?(): void;
}

/** How long nodes have to tell an empty Redis what it has lost. */
const RECOVERY_HEARTBEATS = 3;
const MIN_RECOVERY_MS = 1_000;
/** Every how-manieth beat it is looked whether Redis has lost something. */
const CHECK_HEARTBEATS = 10;

/** What the managers of one node share: a server, a bus, and a node on it. */
export class RedisNode implements PeriodicTask {
  readonly periodMs: number;
  readonly keys: RedisKeys;
  readonly connection: RedisConnection;
  readonly bus: RedisBus;
  readonly node: ClusterNode;
  /** How Redis knows this node. */
  readonly nodeKeyId: string;
  /** Resolves when the other nodes are known; rejects for misuse. */
  readonly ready: Promise<void>;
  readonly report: (error: Error) => void;
  readonly #components: RedisComponent[] = [];
  #known: string | undefined;
  /** Resolves when the others have told Redis again what it has lost. */
  #others: Promise<void> | undefined;
  #over: () => void = () => {};
  /** Whether Redis has lost something that the parts have not told it again. */
  #isEmpty = false;
  #isSubscribed = false;
  #isClosed = false;
  #checkedAt = 0;
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
    options: RedisOptions & ErrorReportingOptions | undefined,
  ) {
    const { prefix = "mcp", cluster, onError } = objectOption(
      "options",
      options,
    );
    const settings = resolveClusterOptions(cluster);
    let misuse: Error | undefined;
    try {
      this.keys = new RedisKeys(prefix, part);
    } catch (error) {
      misuse = error as Error;
      this.keys = new RedisKeys("none", part);
    }
    this.report = safeCallback("onError", onError);
    this.periodMs = settings.heartbeatMs;
    this.connection = new RedisConnection(
      clients,
      settings.requestTimeoutMs,
      misuse,
    );
    this.bus = new RedisBus(this.connection, this.keys, settings.heartbeatMs);
    this.node = new ClusterNode(this.bus, settings, onError);
    const { name, incarnation } = this.node;
    this.nodeKeyId = `${incarnation.toString(36)} ${name}`;
    this.ready = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // Whoever does not wait for it is told by `onError`.
    this.ready.catch(() => {});
  }

  /** The key of what Redis knows of this node. */
  get nodeKey(): string {
    return this.keys.nodes + this.nodeKeyId;
  }

  /** Tells the others of sessions that have their home here. */
  claimed(ids: Iterable<string>): void {
    for (const part of this.#components) part.onSessionsClaimed?.(ids);
  }

  /** Tells a part what becomes of Redis. */
  add(part: RedisComponent): void {
    this.#components.push(part);
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
  get isRecovering(): boolean {
    return this.connection.isDown || this.#others !== undefined;
  }

  /** Resolves when Redis can be reached and knows the sessions of all nodes. */
  async whenAvailable(): Promise<void> {
    await this.connection.whenAvailable();
    await this.#others;
  }

  /** Looks what is there. */
  async refreshLogState(): Promise<void> {
    try {
      if (!this.connection.isDown) await this.#readLogState();
    } catch (error) {
      this.connection.report(error);
    }
  }

  run(now: number): void {
    if (now - this.#checkedAt < CHECK_HEARTBEATS * this.periodMs) return;
    this.#checkedAt = now;
    void this.refreshLogState();
  }

  /** Whether it has left the others. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Leaves the others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.node.scheduler.stop(this);
    await this.node.close();
    this.#over();
    this.connection.close();
    for (const part of this.#components) part.close?.();
  }

  async #start(): Promise<void> {
    this.bus.onSubscribed(() => {
      this.#isSubscribed = true;
      return this.#readLogState().catch((error) => {
        if (isTransientError(error)) return;
        const refused = this.connection.fail(error);
        this.report(refused);
        this.#fail(refused);
      });
    });
    await this.connection.start({
      checkState: () => this.#readLogState(),
      onBack: (isOther) => {
        this.#isEmpty ||= isOther;
        this.#tellBack();
        this.bus.resubscribe().catch((error) => this.connection.report(error));
      },
      onResubscribed: () => {
        for (const part of this.#components) part.onResubscribed?.();
      },
      onError: this.report,
    });
    if (this.isClosed) return this.connection.close();
    this.node.scheduler.start(this);
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
        for (const part of this.#components) part.onRecovered?.();
      };
      const timer = setTimeout(
        over,
        Math.max(RECOVERY_HEARTBEATS * this.periodMs, MIN_RECOVERY_MS),
      );
      (timer as { unref?: () => void }).unref?.();
      this.#over = over;
    });
  }

  async #readLogState(): Promise<void> {
    const [epoch, lastEvent, lastBroadcast, lastDirect] = await this.connection
      .evaluateUnchecked(
        LOOK,
        this.keys.logState,
        [
          newEpoch(),
          this.nodeKey,
          String(LOG_TTL_MS),
          this.keys.prefix,
          this.#known ?? "",
          String(
            Math.max(0, ...this.#components.map(({ newest = 0 }) => newest)),
          ),
        ],
      ) as [string, string, string, string];
    // What was published before this node heard anything is not for it.
    if (!this.#isSubscribed) return;
    this.#isEmpty ||= this.#known !== undefined && epoch !== this.#known;
    this.#known = epoch;
    const state = {
      epoch,
      lastEvent: Number(lastEvent),
      lastBroadcast: Number(lastBroadcast),
      lastDirect: Number(lastDirect),
    };
    for (const part of this.#components) part.onLogState?.(state);
    if (this.#isEmpty && !this.connection.isDown) this.#tellBack();
  }

  #tellBack(): void {
    const isEmpty = this.#isEmpty;
    this.#isEmpty = false;
    if (isEmpty) this.#waitForOthers();
    // Sessions have to be known before what is for them is added: the log is first.
    for (const part of this.#components.toReversed()) {
      part.onReconnected?.(isEmpty);
    }
  }
}

/** What a log is called that begins now; each has another name. */
export function newEpoch(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
