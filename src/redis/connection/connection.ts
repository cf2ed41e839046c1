import { ClusterError } from "../../errors.ts";
import { atTheLatest } from "../../runtime/deadline.ts";
import { assertClients, listenTo, type RedisClients } from "./clients.ts";
import { misuse } from "./client_errors.ts";
import { isOutage, messageOf } from "./redis_errors.ts";
import { Retry } from "./backoff.ts";
import { Script } from "./script.ts";
import { Signal } from "./condition.ts";

/** The oldest release of Redis that has all that is used. */
const LEAST_VERSION = [6, 2] as const;

/** Whom a {@linkcode RedisConnection} asks and tells. */
export interface ConnectionListener {
  /** Looks whether the server works, and takes note of what it says. */
  readonly look: () => Promise<unknown>;
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
  readonly #answerMs: number;
  readonly #retry: Retry;
  readonly #stops: (() => void)[] = [];
  readonly #up = new Signal();
  #answeredAt = 0;
  #misuse: Error | undefined;
  #listener: ConnectionListener | undefined;
  /** Which server it is, since when; unknown where nobody may ask. */
  #runId: string | undefined;
  #isOther = false;
  #isClosed = false;

  /**
   * @param clients What the user handed in.
   * @param answerMs How long an answer may take, in milliseconds.
   * @param misuse What else is wrong, if anything is.
   */
  constructor(clients: unknown, answerMs: number, misuse: Error | undefined) {
    this.#misuse = misuse;
    try {
      assertClients(clients);
    } catch (error) {
      this.#misuse ??= error as Error;
    }
    this.#clients = clients as RedisClients;
    this.#answerMs = answerMs;
    this.#retry = new Retry(
      async () => {
        const runId = await this.#identify();
        this.#isOther ||= runId === undefined || runId !== this.#runId;
        this.#runId = runId;
        await this.#load();
        await this.#listener?.look();
      },
      () => this.#isBack(),
    );
  }

  /** Whether the server is out of reach. */
  get isDown(): boolean {
    return this.#retry.isRunning || this.#misuse !== undefined;
  }

  /**
   * Looks whether the clients and their server can be used.
   *
   * @throws {InvalidArgumentError} For clients that cannot.
   * @throws {ClusterError} For a server that is too old, or refuses.
   */
  async start(listener: ConnectionListener): Promise<void> {
    this.#listener = listener;
    if (this.#misuse !== undefined) throw this.#misuse;
    const { publisher, subscriber } = this.#clients;
    // Sooner than by commands that are not answered.
    const lost = (cause?: unknown) => this.#lost(cause ?? "reconnecting");
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
      await listener.look();
    } catch (error) {
      if (!isOutage(error)) throw this.refuse(error);
    }
  }

  /** Notes that the clients or their server are of no use. Answers why. */
  refuse(error: unknown): Error {
    this.#retry.stop();
    this.#up.fire();
    return this.#misuse ??= misuse(error);
  }

  /** Whether the server is out of reach, and may be back. */
  get isWaiting(): boolean {
    return this.#retry.isRunning;
  }

  /** Resolves when the server can be reached, or will not be any more. */
  async up(): Promise<void> {
    while (this.#retry.isRunning && !this.#isClosed) {
      await this.#up.next();
    }
  }

  /**
   * Runs a command.
   *
   * @throws What the server answers, or the client; nothing is sent during an outage.
   */
  async run(...args: string[]): Promise<unknown> {
    if (this.isDown) throw this.#unreachable();
    return await this.#send(args);
  }

  /** Runs a script; its first argument is a key. */
  async evaluate(
    script: Script,
    key: string,
    args: readonly string[] = [],
  ): Promise<unknown> {
    if (this.isDown) throw this.#unreachable();
    return await this.attempt(script, key, args);
  }

  /** The same, also during an outage. */
  async attempt(
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
    if (!this.#isClosed && !isOutage(error) && error !== this.#misuse) {
      this.#listener?.onError(error as Error);
    }
  }

  /** Uses the clients no longer. */
  close(): void {
    this.#isClosed = true;
    this.#retry.stop();
    this.#up.fire();
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
        await atTheLatest(sent, this.#answerMs);
        // A long queue is no outage, as long as it moves.
      } while (isOpen && this.#answeredAt > since);
      if (!isOpen) return await sent;
      // It may still be answered, or fail.
      sent.catch(() => {});
      throw new Error(`no answer within ${this.#answerMs} ms`);
    } catch (error) {
      if (isOutage(error)) this.#lost(error);
      throw error;
    }
  }

  #lost(cause: unknown): void {
    if (this.#isClosed || this.isDown) return;
    this.#retry.start();
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

  #isBack(): void {
    const isOther = this.#isOther;
    this.#isOther = false;
    this.#listener?.onBack(isOther);
    this.#up.fire();
  }

  #reconnected(): void {
    if (this.#retry.isRunning) return this.#retry.hurry();
    // It may be another server, or one that has lost everything.
    this.#retry.start();
    this.#retry.hurry();
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
    const [least, leastMinor] = LEAST_VERSION;
    const isOld = major < least || major === least && minor < leastMinor;
    if (version !== "" && isOld) {
      throw new ClusterError(
        `Redis ${version} is too old: use ${LEAST_VERSION.join(".")} or later.`,
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

  #unreachable(): Error {
    return this.#misuse ?? new Error("Redis is out of reach.");
  }
}
