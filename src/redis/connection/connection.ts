import { waitAtMost } from "../../runtime/deadline.ts";
import type { AdaptedClients } from "../clients/resolve_clients.ts";
import type { MessageListener } from "../clients/client_types.ts";
import { Subscription } from "./subscription.ts";
import { toClientError } from "./client_errors.ts";
import { describeOutage } from "./outage.ts";
import { OutageHistory } from "./outage_history.ts";
import { isTransientError, messageOf } from "./redis_errors.ts";
import { identifyServer, loadScripts } from "./server.ts";
import { Backoff } from "./backoff.ts";
import type { Script } from "./script.ts";
import { Condition } from "./condition.ts";

/** Callbacks of a {@linkcode RedisConnection}. */
export interface ConnectionListener {
  /** Checks whether the server works, and reads its state. */
  readonly checkState: () => Promise<unknown>;
  /**
   * Called when the server works again.
   *
   * @param isOther Whether it may be another server, or was restarted.
   * @param wasOutage Whether an outage has ended.
   */
  readonly onBack: (isOther: boolean, wasOutage: boolean) => void;
  /** Called when the subscriber has lost its connection. */
  readonly onSubscriberLost: () => void;
  /**
   * Called when the subscriber has reconnected, and may have missed messages.
   */
  readonly onResubscribed: () => void;
  readonly onError: (error: Error) => void;
}

/**
 * The user's clients, as the other components use them. During an outage,
 * commands fail at once instead of piling up in the client, and one error is
 * reported for each outage.
 */
export class RedisConnection {
  readonly #clients: AdaptedClients;
  /** What this node has subscribed to. */
  readonly subscription: Subscription;
  readonly #requestTimeoutMs: number;
  readonly #backoff: Backoff;
  readonly #stops: (() => void)[] = [];
  readonly #available = new Condition();
  #answeredAt = 0;
  #clientError: Error | undefined;
  #listener: ConnectionListener | undefined;
  /** The run ID of the server; unknown without permission to ask. */
  #runId: string | undefined;
  /** Whether it may be another server than the one that `#runId` names. */
  #wasDisconnected = true;
  #isNewServer = false;
  /** Whether the server may not have the scripts. */
  #lacksScripts = true;
  readonly #outages: OutageHistory = new OutageHistory((error) => {
    if (!this.#isClosed) this.#listener?.onError(error);
  });
  #checking: Promise<unknown> | undefined;
  #isClosed = false;

  /**
   * @param clients The user's clients.
   * @param requestTimeoutMs How long a reply may take, in milliseconds.
   */
  constructor(clients: AdaptedClients, requestTimeoutMs: number) {
    this.#clients = clients;
    this.subscription = new Subscription(clients.subscriber, {
      onLost: () => this.#listener?.onSubscriberLost(),
      onReady: () => this.#listener?.onResubscribed(),
    });
    this.#requestTimeoutMs = requestTimeoutMs;
    const retry = () => this.#identify().then(() => this.#prepare());
    this.#backoff = new Backoff(retry, {
      onDone: () => this.#onAvailable(),
      onFailed: (error) => this.#outages.continue(error),
    });
  }

  /** Whether the server is unavailable, or rejects writes. */
  get isDown(): boolean {
    return this.#backoff.isRunning || this.#clientError !== undefined;
  }

  /** How many outages there were. */
  get outages(): number {
    return this.#outages.count;
  }

  /** Whether the server answers: it may reject writes. */
  get canRead(): boolean {
    return !this.isDown ||
      this.#clientError === undefined && this.#outages.canRead;
  }

  /**
   * Checks whether the clients and their server can be used.
   *
   * @throws {InvalidArgumentError} If the publisher is in subscriber mode.
   * @throws {ClusterError} If the server is too old, or refuses a command.
   */
  async start(listener: ConnectionListener): Promise<void> {
    this.#listener = listener;
    // Clients notice an outage sooner than commands time out.
    this.#stops.push(
      this.#clients.publisher.listen({
        onLost: (cause = "reconnecting") => this.#onOutage(cause),
        onReady: () => this.#reconnected(),
      }),
      () => this.subscription.close(),
    );
    try {
      await this.#identify();
      this.#isNewServer = false;
      await this.#prepare();
    } catch (error) {
      if (!isTransientError(error)) throw this.fail(error);
    }
  }

  /**
   * Records that the clients or their server cannot be used, and returns the
   * error.
   */
  fail(error: unknown): Error {
    this.#backoff.stop();
    this.#available.notifyAll();
    return this.#clientError ??= toClientError(error);
  }

  /** Whether the server is unavailable and retries are in progress. */
  get isWaiting(): boolean {
    return this.#backoff.isRunning;
  }

  /** Resolves when the server is available, or never will be. */
  async whenAvailable(): Promise<void> {
    while (this.#backoff.isRunning && !this.#isClosed) {
      await this.#available.wait();
    }
  }

  /**
   * Publishes a message.
   *
   * @throws The error of the server or the client. Nothing is sent while the
   * server does not answer.
   */
  async publish(channel: string, text: string): Promise<unknown> {
    if (!this.canRead) throw this.#unavailableError();
    return await this.#send(["PUBLISH", channel, text]);
  }

  /** Runs a script; its first argument is a key. */
  async evaluate(
    script: Script,
    key: string,
    args: readonly string[] = [],
  ): Promise<unknown> {
    const isPossible = script.isReadOnly ? this.canRead : !this.isDown;
    if (!isPossible) throw this.#unavailableError();
    return await this.#evaluate(script, key, args, () => this.#check());
  }

  /** Runs a script, even during an outage. */
  async evaluateUnchecked(
    script: Script,
    key: string,
    args: readonly string[],
  ): Promise<unknown> {
    return await this.#evaluate(script, key, args);
  }

  /** Runs a script. If the server does not have it, `onMissing` comes first. */
  async #evaluate(
    script: Script,
    key: string,
    args: readonly string[],
    onMissing?: () => Promise<unknown>,
  ): Promise<unknown> {
    const rest = ["1", key, ...args];
    try {
      // Nothing is awaited before this point, so that commands are sent in the
      // order of the calls.
      if (script.sha !== undefined) {
        return await this.#send(["EVALSHA", script.sha, ...rest]);
      }
    } catch (error) {
      if (!messageOf(error).includes("NOSCRIPT")) throw error;
      // It may be another server, or was restarted, and may have older data.
      await onMissing?.();
    }
    return await this.#send(["EVAL", script.text, ...rest]);
  }

  /** Checks the state of the server, once for all callers. */
  #check(): Promise<unknown> {
    return this.#checking ??= Promise.resolve(this.#listener?.checkState())
      .finally(() => this.#checking = undefined);
  }

  /** Subscribes to channels until the connection is closed. */
  async subscribe(
    channels: string[],
    listener: MessageListener,
  ): Promise<void> {
    if (!this.#isClosed) await this.subscription.start(channels, listener);
  }

  /**
   * Reports an error, unless it is due to an outage, which is reported once.
   */
  report(error: unknown): void {
    if (
      !this.#isClosed && !isTransientError(error) && error !== this.#clientError
    ) {
      this.#listener?.onError(error as Error);
    }
  }

  /** Stops using the clients. */
  close(): void {
    this.#isClosed = true;
    this.#backoff.stop();
    this.#available.notifyAll();
    for (const stop of this.#stops) {
      try {
        stop();
      } catch {
        // The client had been closed before.
      }
    }
  }

  async #send(args: string[]): Promise<unknown> {
    let isOpen = true;
    const { ended } = this.#outages;
    const sent = this.#clients.publisher.send(args).finally(() => {
      isOpen = false;
      this.#answeredAt = Date.now();
    });
    try {
      let since: number;
      do {
        since = Date.now();
        await waitAtMost(sent, this.#requestTimeoutMs);
        // A long queue is no outage as long as replies arrive.
      } while (isOpen && this.#answeredAt > since);
      if (!isOpen) return await sent;
      // The command may still succeed or fail.
      sent.catch(() => {});
      throw new Error(`no answer within ${this.#requestTimeoutMs} ms`);
    } catch (error) {
      if (!isTransientError(error)) throw error;
      // It may have been sent in an outage that has ended since.
      if (ended === this.#outages.ended) this.#onOutage(error);
      else this.#verify();
      throw error;
    }
  }

  #onOutage(cause: unknown): void {
    if (this.#isClosed || this.#clientError !== undefined) return;
    const outage = describeOutage(cause);
    this.#wasDisconnected ||= outage.isLost;
    if (!this.#outages.isOpen) {
      this.#backoff.start(this.#outages.begin(outage));
    } else if (outage.isLost) this.#outages.onLost(outage);
  }

  #onAvailable(): void {
    const isOther = this.#isNewServer;
    const wasOutage = this.#outages.isOpen;
    this.#isNewServer = false;
    this.#outages.end();
    this.#listener?.onBack(isOther, wasOutage);
    this.#available.notifyAll();
  }

  /** Identifies the server, which may be another one than before. */
  async #identify(): Promise<void> {
    const runId = await identifyServer((args) => this.#send(args));
    const isOther = runId === undefined
      ? this.#wasDisconnected
      : runId !== this.#runId;
    this.#isNewServer ||= isOther;
    this.#lacksScripts ||= isOther;
    this.#runId = runId;
    this.#wasDisconnected = false;
  }

  /** Checks the server, and loads the scripts if it may not have them. */
  async #prepare(): Promise<void> {
    await this.#listener?.checkState();
    if (!this.#lacksScripts) return;
    // Only now may the scripts of other nodes run without this check.
    await loadScripts((args) => this.#send(args));
    this.#lacksScripts = false;
  }

  #reconnected(): void {
    this.#wasDisconnected = true;
    // It may be another server, or one that has lost everything.
    this.#backoff.start();
    this.#backoff.retryNow();
  }

  /** Checks whether the server works. If not, an outage begins. */
  #verify(): void {
    if (this.#backoff.isRunning || this.#clientError !== undefined) return;
    this.#backoff.start();
    this.#backoff.retryNow();
  }

  #unavailableError(): Error {
    return this.#clientError ?? new Error("Redis is unavailable.");
  }
}
