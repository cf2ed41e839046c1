import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { AdaptedClients } from "../clients/resolve_clients.ts";
import type { MessageListener } from "../clients/client_types.ts";
import { Subscription } from "./subscription.ts";
import { toClientError } from "./client_errors.ts";
import { isTransientError, messageOf } from "./redis_errors.ts";
import { Backoff } from "./backoff.ts";
import type { Script } from "./script.ts";
import { identifyServer, loadScripts } from "./server.ts";
import { Condition } from "./condition.ts";

/** Callbacks of a {@linkcode RedisConnection}. */
export interface ConnectionListener {
  /** Checks whether the server works, and reads its state. */
  readonly checkState: () => Promise<unknown>;
  /**
   * Called when the server works again.
   *
   * @param isOther Whether it may be another server, or was restarted.
   */
  readonly onBack: (isOther: boolean) => void;
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
  readonly #subscription: Subscription;
  readonly #requestTimeoutMs: number;
  readonly #backoff: Backoff;
  readonly #stops: (() => void)[] = [];
  readonly #available = new Condition();
  #answeredAt = 0;
  #clientError: Error | undefined;
  #listener: ConnectionListener | undefined;
  /** The run ID of the server; unknown without permission to ask. */
  #runId: string | undefined;
  #isNewServer = false;
  #checking: Promise<unknown> | undefined;
  /** Whether the server's refusal was reported in this outage. */
  #isRefusalReported = false;
  #isClosed = false;

  /**
   * @param clients The user's clients.
   * @param requestTimeoutMs How long a reply may take, in milliseconds.
   */
  constructor(clients: AdaptedClients, requestTimeoutMs: number) {
    this.#clients = clients;
    this.#subscription = new Subscription(
      clients.subscriber,
      () => this.#listener?.onResubscribed(),
    );
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#backoff = new Backoff(
      async () => {
        await this.#identify();
        // Only then do other nodes' scripts run without this check.
        await this.#listener?.checkState();
        await loadScripts((args) => this.#send(args));
      },
      {
        onDone: () => this.#onAvailable(),
        onFailed: (error) => this.#reportRefusal(error),
      },
    );
  }

  /** Whether the server is unavailable. */
  get isDown(): boolean {
    return this.#backoff.isRunning || this.#clientError !== undefined;
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
      () => this.#subscription.close(),
    );
    try {
      this.#runId = await identifyServer((args) => this.#send(args));
      await listener.checkState();
      await loadScripts((args) => this.#send(args));
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
   * Sends a command.
   *
   * @throws The error of the server or the client. During an outage nothing is
   * sent.
   */
  async run(...args: string[]): Promise<unknown> {
    if (this.isDown) throw this.#unavailableError();
    return await this.#send(args);
  }

  /** Runs a script; its first argument is a key. */
  async evaluate(
    script: Script,
    key: string,
    args: readonly string[] = [],
  ): Promise<unknown> {
    if (this.isDown) throw this.#unavailableError();
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
    if (!this.#isClosed) await this.#subscription.start(channels, listener);
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
      if (isTransientError(error)) this.#onOutage(error);
      throw error;
    }
  }

  #onOutage(cause: unknown): void {
    if (this.#isClosed || this.isDown) return;
    this.#isRefusalReported = false;
    this.#backoff.start();
    this.#listener?.onError(
      new ClusterError(
        `Redis is unavailable (${
          messageOf(cause)
        }). Streams of this node are served, ` +
          "and other nodes are updated when it is back.",
        { cause },
      ),
    );
  }

  /** Somebody must do something before the outage can end. */
  #reportRefusal(error: unknown): void {
    if (this.#isClosed || this.#isRefusalReported) return;
    if (isTransientError(error)) return;
    this.#isRefusalReported = true;
    this.#listener?.onError(toClientError(error));
  }

  #onAvailable(): void {
    const isOther = this.#isNewServer;
    this.#isNewServer = false;
    this.#listener?.onBack(isOther);
    this.#available.notifyAll();
  }

  #reconnected(): void {
    if (this.#backoff.isRunning) return this.#backoff.retryNow();
    // It may be another server, or one that has lost everything.
    this.#backoff.start();
    this.#backoff.retryNow();
  }

  async #identify(): Promise<void> {
    const runId = await identifyServer((args) => this.#send(args));
    this.#isNewServer ||= runId === undefined || runId !== this.#runId;
    this.#runId = runId;
  }

  #unavailableError(): Error {
    return this.#clientError ?? new Error("Redis is unavailable.");
  }
}
