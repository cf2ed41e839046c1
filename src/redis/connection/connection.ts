import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import { assertClients, listenTo, type RedisClients } from "./clients.ts";
import { toClientError } from "./client_errors.ts";
import { isTransientError, messageOf } from "./redis_errors.ts";
import { Backoff } from "./backoff.ts";
import { Script } from "./script.ts";
import { Condition } from "./condition.ts";

/** The oldest release of Redis that has all that is used. */
const MIN_VERSION = [6, 2] as const;

/** Whom a {@linkcode RedisConnection} asks and tells. */
export interface ConnectionListener {
  /** Looks whether the server works, and takes note of what it says. */
  readonly checkState: () => Promise<unknown>;
  /**
   * Told that the server works again.
   *
   * @param isOther Whether it may be another one, or was started anew.
   */
  readonly onBack: (isOther: boolean) => void;
  /** Told that the subscriber is connected again, and may have missed something. */
  readonly onResubscribed: () => void;
  readonly onError: (error: Error) => void;
}

/**
 * The clients, as the rest uses them: what cannot be sent fails at once while the
 * server is out of reach, instead of piling up in the client, and one error is
 * reported for each outage.
 */
export class RedisConnection {
  readonly #clients: RedisClients;
  readonly #requestTimeoutMs: number;
  readonly #backoff: Backoff;
  readonly #stops: (() => void)[] = [];
  readonly #available = new Condition();
  #answeredAt = 0;
  #clientError: Error | undefined;
  #listener: ConnectionListener | undefined;
  /** Which server it is, since when; unknown where nobody may ask. */
  #runId: string | undefined;
  #isNewServer = false;
  #isClosed = false;

  /**
   * @param clients What the user handed in.
   * @param requestTimeoutMs How long an answer may take, in milliseconds.
   * @param misuse What else is wrong, if anything is.
   */
  constructor(
    clients: unknown,
    requestTimeoutMs: number,
    misuse: Error | undefined,
  ) {
    this.#clientError = misuse;
    try {
      assertClients(clients);
    } catch (error) {
      this.#clientError ??= error as Error;
    }
    this.#clients = clients as RedisClients;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#backoff = new Backoff(
      async () => {
        const runId = await this.#identify();
        this.#isNewServer ||= runId === undefined || runId !== this.#runId;
        this.#runId = runId;
        await this.#load();
        await this.#listener?.checkState();
      },
      () => this.#onAvailable(),
    );
  }

  /** Whether the server is out of reach. */
  get isDown(): boolean {
    return this.#backoff.isRunning || this.#clientError !== undefined;
  }

  /**
   * Looks whether the clients and their server can be used.
   *
   * @throws {InvalidArgumentError} For clients that cannot.
   * @throws {ClusterError} For a server that is too old, or refuses.
   */
  async start(listener: ConnectionListener): Promise<void> {
    this.#listener = listener;
    if (this.#clientError !== undefined) throw this.#clientError;
    const { publisher, subscriber } = this.#clients;
    // Sooner than by commands that are not answered.
    const lost = (cause?: unknown) => this.#onOutage(cause ?? "reconnecting");
    this.#stops.push(
      listenTo(publisher, "error", lost),
      listenTo(publisher, "reconnecting", () => lost()),
      // Without a listener an error of the connection would end the process.
      listenTo(subscriber, "error", () => {}),
      listenTo(publisher, "ready", () => this.#reconnected()),
      listenTo(subscriber, "ready", () => listener.onResubscribed()),
    );
    try {
      this.#runId = await this.#identify();
      await this.#load();
      await listener.checkState();
    } catch (error) {
      if (!isTransientError(error)) throw this.fail(error);
    }
  }

  /** Notes that the clients or their server are of no use. Answers why. */
  fail(error: unknown): Error {
    this.#backoff.stop();
    this.#available.notifyAll();
    return this.#clientError ??= toClientError(error);
  }

  /** Whether the server is out of reach, and may be back. */
  get isWaiting(): boolean {
    return this.#backoff.isRunning;
  }

  /** Resolves when the server can be reached, or will not be any more. */
  async whenAvailable(): Promise<void> {
    while (this.#backoff.isRunning && !this.#isClosed) {
      await this.#available.wait();
    }
  }

  /**
   * Runs a command.
   *
   * @throws What the server answers, or the client; nothing is sent during an outage.
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
    return await this.evaluateUnchecked(script, key, args);
  }

  /** The same, also during an outage. */
  async evaluateUnchecked(
    script: Script,
    key: string,
    args: readonly string[],
  ): Promise<unknown> {
    const rest = ["1", key, ...args];
    try {
      // Nothing is awaited before: commands are sent in the order of the calls.
      if (script.sha !== undefined) {
        return await this.#send(["EVALSHA", script.sha, ...rest]);
      }
    } catch (error) {
      if (!messageOf(error).includes("NOSCRIPT")) throw error;
    }
    return await this.#send(["EVAL", script.text, ...rest]);
  }

  /** Hears what is published to channels, until it is closed. */
  async subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<void> {
    const { subscriber } = this.#clients;
    const stop = () =>
      // What the user has closed already needs no end.
      void Promise.resolve(subscriber.unsubscribe(channels, listener))
        .catch(() => {});
    if (this.#isClosed) return;
    this.#stops.push(stop);
    await subscriber.subscribe(channels, listener);
    if (this.#isClosed) stop();
  }

  /** Reports what failed other than by an outage, which is reported already. */
  report(error: unknown): void {
    if (
      !this.#isClosed && !isTransientError(error) && error !== this.#clientError
    ) {
      this.#listener?.onError(error as Error);
    }
  }

  /** Uses the clients no longer. */
  close(): void {
    this.#isClosed = true;
    this.#backoff.stop();
    this.#available.notifyAll();
    for (const stop of this.#stops) {
      try {
        stop();
      } catch {
        // A client that was closed before.
      }
    }
  }

  async #send(args: string[]): Promise<unknown> {
    let isOpen = true;
    const sent = this.#clients.publisher.sendCommand(args).finally(() => {
      isOpen = false;
      this.#answeredAt = Date.now();
    });
    try {
      let since: number;
      do {
        since = Date.now();
        await waitAtMost(sent, this.#requestTimeoutMs);
        // A long queue is no outage, as long as it moves.
      } while (isOpen && this.#answeredAt > since);
      if (!isOpen) return await sent;
      // It may still be answered, or fail.
      sent.catch(() => {});
      throw new Error(`no answer within ${this.#requestTimeoutMs} ms`);
    } catch (error) {
      if (isTransientError(error)) this.#onOutage(error);
      throw error;
    }
  }

  #onOutage(cause: unknown): void {
    if (this.#isClosed || this.isDown) return;
    this.#backoff.start();
    this.#listener?.onError(
      new ClusterError(
        `Redis is out of reach (${
          messageOf(cause)
        }). Streams of this node go on; ` +
          "what others have to know is told them when it is back.",
        { cause },
      ),
    );
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

  /** Looks which server it is, and whether it is new enough. */
  async #identify(): Promise<string | undefined> {
    let info: string;
    try {
      info = String(await this.#send(["INFO", "server"]));
    } catch (error) {
      // Whoever may not ask has to know.
      if (messageOf(error).includes("NOPERM")) return undefined;
      throw error;
    }
    const [, version = ""] = /redis_version:(\S+)/.exec(info) ?? [];
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const [least, leastMinor] = MIN_VERSION;
    const isOld = major < least || major === least && minor < leastMinor;
    if (version !== "" && isOld) {
      throw new ClusterError(
        `Redis ${version} is too old: use ${MIN_VERSION.join(".")} or later.`,
      );
    }
    return /run_id:(\S+)/.exec(info)?.[1];
  }

  /** Lets the server have all scripts, so that each runs at the first call. */
  async #load(): Promise<void> {
    try {
      await Promise.all(Script.all.map(async (script) => {
        const sha = await this.#send(["SCRIPT", "LOAD", script.text]);
        script.sha = String(sha);
      }));
    } catch (error) {
      // Whoever may not do that sends them whole.
      if (!messageOf(error).includes("NOPERM")) throw error;
    }
  }

  #unavailableError(): Error {
    return this.#clientError ?? new Error("Redis is out of reach.");
  }
}
