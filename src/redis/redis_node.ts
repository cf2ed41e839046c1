import {
  CLUSTER_OPTIONS,
  type OptionNames,
} from "../contracts/known_options.ts";
import { ClusterError } from "../errors.ts";
import { ClusterNode } from "../cluster/membership/cluster_node.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "../cluster/membership/options.ts";
import type { PeriodicTask } from "../runtime/scheduler.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { ErrorReportingOptions } from "../contracts/options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { RedisClient, RedisClients } from "./clients/client_types.ts";
import { resolveClients } from "./clients/resolve_clients.ts";
import { RedisConnection } from "./connection/connection.ts";
import { FormatCheck } from "./connection/format.ts";
import { RedisKeys } from "./connection/keys.ts";
import { checkPermissions } from "./connection/permissions.ts";
import { LOG_TTL_MS, LOOK } from "./log/log_scripts.ts";
import { isTransientError } from "./connection/redis_errors.ts";
import { RedisBus } from "./redis_bus.ts";
import { Recovery } from "./recovery.ts";
import { RedisComponents } from "./redis_components.ts";
import { ServerClock } from "./server_clock.ts";
import { SubscriberCheck } from "./subscriber_check.ts";

/** Options of a node on Redis. */
export interface RedisOptions {
  /**
   * The prefix of all keys and channels. Nodes with the same prefix share their
   * sessions. 1 to 128 letters, digits or characters of `_.:@/-`.
   *
   * @default "mcp"
   */
  readonly prefix?: string | undefined;
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/** The names of the options of a node on Redis. */
export const REDIS_OPTIONS: OptionNames = { ...CLUSTER_OPTIONS, prefix: true };

/**
 * How long other nodes may take to find that Redis is back and to write what they
 * kept, in milliseconds.
 */
export const SETTLE_MS = 6_000;
/** After how many heartbeats the state of the log is read again. */
const CHECK_HEARTBEATS = 10;

/** What the managers of one node share: a server, a bus, and a node. */
export class RedisNode implements PeriodicTask {
  readonly periodMs: number;
  readonly keys: RedisKeys;
  readonly connection: RedisConnection;
  readonly bus: RedisBus;
  readonly clock: ServerClock = new ServerClock();
  readonly node: ClusterNode;
  /** This node's ID in Redis: incarnation and name. */
  readonly nodeKeyId: string;
  /**
   * Resolves when the other nodes are known. Rejects if the clients cannot be
   * used.
   */
  readonly ready: Promise<void>;
  readonly report: (error: Error) => void;
  readonly #format: FormatCheck;
  readonly #subscriberCheck: SubscriberCheck;
  readonly components: RedisComponents = new RedisComponents();
  #known: string | undefined;
  readonly #recovery: Recovery;
  /** Whether Redis has lost something that the components have not restored. */
  #isEmpty = false;
  /** When the other nodes have had time to write what they kept. */
  #settledAt = -Infinity;
  #isSubscribed = false;
  #isPermitted = false;
  #isClosed = false;
  #checkedAt = 0;
  #finish: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /**
   * @param client The user's client, or two of them.
   * @param component What the channels are for.
   * @param options The user's options.
   * @throws {InvalidArgumentError} If a client or an option is invalid.
   */
  constructor(
    client: RedisClient | RedisClients,
    component: string,
    options: RedisOptions & ErrorReportingOptions | undefined,
  ) {
    const { prefix, cluster, onError } = objectOption(
      "options",
      options,
    );
    const settings = resolveClusterOptions(cluster);
    this.keys = new RedisKeys(component, prefix);
    this.report = safeCallback("onError", onError);
    this.periodMs = settings.heartbeatMs;
    this.#recovery = new Recovery(
      settings.heartbeatMs,
      () => this.components.recovered(),
    );
    this.connection = new RedisConnection(
      resolveClients(client, this.keys.format),
      settings.requestTimeoutMs,
    );
    this.#format = new FormatCheck(
      this.connection,
      this.keys,
      settings.heartbeatMs,
      this.report,
    );
    this.bus = new RedisBus(this.connection, this.keys, settings.heartbeatMs);
    this.#subscriberCheck = new SubscriberCheck(
      this.connection.subscription,
      this.bus.echo,
      this.report,
    );
    this.node = new ClusterNode(this.bus, settings, onError);
    const { name, incarnation } = this.node;
    this.nodeKeyId = `${incarnation.toString(36)} ${name}`;
    this.ready = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // The error is also reported to `onError`.
    this.ready.catch(() => {});
  }

  /** The key of this node in Redis. */
  get nodeKey(): string {
    return this.keys.nodes + this.nodeKeyId;
  }

  /**
   * Checks whether Redis has lost its data since this node has read the state of
   * the log. To be called before a session counts as unknown.
   *
   * @param epoch The epoch of the log; empty if there is none.
   */
  async checkEpoch(epoch: string): Promise<void> {
    if (this.#known === undefined || epoch === this.#known) return;
    await this.refreshLogState();
  }

  /** Joins the cluster. All components must have been added. */
  start(): void {
    void this.#start().then(this.#finish, (error) => {
      this.report(error as Error);
      this.#fail(error);
      void this.node.close(); // Nobody waits for other nodes.
    });
  }

  /**
   * Whether Redis is unavailable, or was empty a moment ago. Before the other
   * nodes have restored their sessions, nobody finds them.
   */
  get isRecovering(): boolean {
    return this.connection.isDown || this.#recovery.isRunning;
  }

  /**
   * Whether other nodes may have sessions that are not in Redis yet, because it
   * was unavailable or has lost its data a moment ago.
   */
  get isSettling(): boolean {
    return this.isRecovering || this.node.scheduler.now() < this.#settledAt;
  }

  /**
   * Whether sessions of other nodes can be looked up; Redis may reject writes.
   */
  get canRead(): boolean {
    return this.connection.canRead && !this.#recovery.isRunning;
  }

  /** Resolves when sessions of other nodes can be looked up. */
  async whenReadable(): Promise<void> {
    if (this.canRead) return;
    await this.connection.whenAvailable();
    await this.#recovery.done();
  }

  /** Reads the state of the log. */
  async refreshLogState(): Promise<void> {
    try {
      if (this.connection.isDown) return;
      await this.#format.check();
      await this.#readLogState();
    } catch (error) {
      this.connection.report(error);
    }
  }

  run(now: number): void {
    if (!this.#isSubscribed) {
      const { isDown } = this.connection;
      this.#subscriberCheck.awaitSubscription(this.periodMs, isDown);
    }
    const isSilent = this.bus.echo.isSilent(performance.now());
    const beats = isSilent ? 1 : CHECK_HEARTBEATS;
    if (now - this.#checkedAt < beats * this.periodMs) return;
    this.#checkedAt = now;
    // Without its subscriber, this node reads events over its other connection.
    void this.refreshLogState();
    if (isSilent) this.#subscriberCheck.onSilent();
  }

  /** Whether this node has left the cluster. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Leaves the cluster. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.node.scheduler.stop(this);
    await this.node.close();
    this.#recovery.end();
    this.connection.close();
    this.components.close();
  }

  async #start(): Promise<void> {
    const refuse = (error: unknown) => {
      const refused = this.connection.fail(error);
      this.report(refused);
      this.#fail(refused);
    };
    this.bus.onSubscribed(async () => {
      this.#isSubscribed = true;
      try {
        await this.#readLogState();
      } catch (error) {
        if (!isTransientError(error)) refuse(error);
      }
    }, refuse);
    await this.connection.start({
      checkState: async () => {
        if (!this.#isPermitted) {
          await checkPermissions(this.connection, this.keys);
        }
        this.#isPermitted = true;
        await this.#format.check();
        await this.#readLogState();
      },
      onBack: (isOther, wasOutage) => {
        this.#isEmpty ||= isOther;
        if (wasOutage) this.bus.echo.isAfterOutage = true;
        this.#notifyReconnected();
        this.bus.echo.onReconnecting();
        this.bus.resubscribe().catch((error) => this.connection.report(error));
      },
      onSubscriberLost: () => this.bus.echo.onReconnecting(),
      onResubscribed: () => {
        this.bus.echo.onReconnecting();
        this.components.resubscribed();
      },
      onError: this.report,
    });
    if (this.isClosed) return this.connection.close();
    this.node.scheduler.start(this);
    this.node.start();
    await this.node.ready;
  }

  async #readLogState(): Promise<void> {
    const [epoch, lastEvent, lastBroadcast, lastDirect, now] = await this
      .connection
      .evaluateUnchecked(
        LOOK,
        this.keys.logState,
        [
          newEpoch(),
          this.nodeKey,
          String(LOG_TTL_MS),
          this.keys.prefix,
          this.#known ?? "",
          String(this.components.newest),
          String(this.components.appended),
          this.keys.broadcastChannel,
        ],
      ) as [string, string, string, string, string];
    this.clock.set(Number(now));
    // What was published before this node had subscribed is not for it.
    if (!this.#isSubscribed) return;
    const isLost = this.#known !== undefined && epoch !== this.#known;
    this.#isEmpty ||= isLost;
    this.#known = epoch;
    // Otherwise the outage was reported.
    if (isLost && !this.connection.isDown) {
      this.report(
        new ClusterError(
          "Redis has lost its data, or was replaced by a copy, without a " +
            "disconnect. This node restores what it knows of its sessions. " +
            "Clients that resume get a reset. Don't use FLUSHALL or FLUSHDB, " +
            'and set "maxmemory-policy" to "noeviction".',
        ),
      );
    }
    const state = {
      epoch,
      lastEvent: Number(lastEvent),
      lastBroadcast: Number(lastBroadcast),
      lastDirect: Number(lastDirect),
    };
    this.components.readLogState(state);
    if (this.#isEmpty && !this.connection.isDown) this.#notifyReconnected();
  }

  #notifyReconnected(): void {
    const isEmpty = this.#isEmpty;
    this.#isEmpty = false;
    const isAlone = this.node.others.length === 0 && !this.node.isPartial;
    if (isEmpty && !isAlone) this.#recovery.start();
    if (!isAlone) this.#settledAt = this.node.scheduler.now() + SETTLE_MS;
    this.components.reconnected(isEmpty);
  }
}

/** Returns the name of a new log. */
export function newEpoch(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
