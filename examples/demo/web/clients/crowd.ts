import { StreamClient } from "../../stream_client.ts";
import type { ClientCounts } from "../sample.ts";
import { type Staller, stallReader } from "./stall_reader.ts";

/** The time between two changes, in milliseconds. */
const STEP_MS = 250;
/** How long clients are cut off, in milliseconds. */
const AWAY_MS = [300, 4_000] as const;
/** The number of clients rises and falls by this share of it. */
const SWING = 0.25;
/** How long that takes, in milliseconds. */
const SWING_MS = 45_000;
/** How many clients come or go in one step. */
const MAX_CHANGES = 8;
/** The steps between two readers that stall by themselves. */
const STALL_EVERY = 100;

/** Clients that come, go, are cut off and stall, so that the charts move. */
export class Crowd implements AsyncDisposable {
  readonly #url: URL;
  readonly #size: number;
  readonly #staller: Staller;
  readonly #clients = new Set<StreamClient>();
  readonly #away = new Set<StreamClient>();
  readonly #stalled = new Set<StreamClient>();
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;
  #isRunning = true;

  /**
   * Connects the clients.
   *
   * @param url The server.
   * @param size How many there are on average.
   * @param staller What stalled readers need.
   */
  constructor(url: URL, size: number, staller: Staller) {
    this.#url = url;
    this.#size = size;
    this.#staller = staller;
    this.#stopped = this.#run();
  }

  /** How many clients do what. */
  get counts(): ClientCounts {
    return {
      connected: this.#clients.size - this.#away.size,
      away: this.#away.size,
      stalled: this.#stalled.size,
      isRunning: this.#isRunning,
    };
  }

  /** Whether clients come and go. */
  set isRunning(isRunning: boolean) {
    this.#isRunning = isRunning;
  }

  /**
   * Stalls a reader until its stream is evicted.
   *
   * @returns Its session; none if there is no client.
   */
  stall(): string | undefined {
    const client = this.#pick();
    if (client === undefined) return undefined;
    this.#stalled.add(client);
    void stallReader(client, this.#staller, this.#stop.signal)
      .finally(() => this.#stalled.delete(client));
    return client.session;
  }

  async #run(): Promise<void> {
    for (let step = 0; !this.#stop.signal.aborted; step++) {
      if (this.#isRunning) {
        await this.#comeAndGo();
        if (step % 3 === 0) this.#cutOne();
        if (step % STALL_EVERY === STALL_EVERY - 1) this.stall();
      }
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }

  async #comeAndGo(): Promise<void> {
    for (const client of this.#clients) {
      // All nodes have died, and its session with them.
      if (client.isGone) this.#clients.delete(client);
    }
    const phase = Math.sin(Date.now() / SWING_MS * 2 * Math.PI);
    const wanted = Math.round(this.#size * (1 + SWING * phase));
    const missing = Math.min(MAX_CHANGES, wanted - this.#clients.size);
    const surplus = Math.min(MAX_CHANGES, this.#clients.size - wanted);
    // One more comes and goes, so that sessions change all the time.
    const come = Array.from(
      { length: Math.max(1, missing) },
      () => this.#add(),
    );
    const go = Array.from({ length: Math.max(1, surplus) }, () => this.#end());
    await Promise.all([...come, ...go]);
  }

  async #add(): Promise<void> {
    try {
      this.#clients.add(
        await StreamClient.connect(this.#url, {
          onReceive: () => {},
          fetch,
          reconnects: true,
        }),
      );
    } catch {
      // No node runs, or its node has just died.
    }
  }

  async #end(): Promise<void> {
    const client = this.#pick();
    if (client === undefined) return;
    this.#clients.delete(client);
    await client.delete().catch(() => {});
    await client.close();
  }

  /** Cuts a client off for a while; it continues with what it missed. */
  #cutOne(): void {
    const client = this.#pick();
    if (client === undefined) return;
    this.#away.add(client);
    const [min, max] = AWAY_MS;
    const comeBack = client.leave();
    setTimeout(() => {
      this.#away.delete(client);
      comeBack();
    }, min + Math.random() * (max - min));
  }

  /** Returns a client that reads. */
  #pick(): StreamClient | undefined {
    const clients = [...this.#clients].filter((client) =>
      !this.#away.has(client) && !this.#stalled.has(client)
    );
    return clients[Math.floor(Math.random() * clients.length)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
    await Promise.all([...this.#clients].map((client) => client.close()));
  }
}
