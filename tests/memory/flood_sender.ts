import process from "node:process";
import type { TestClient } from "../../src/testing/support/test_client.ts";
import type { Flood } from "./flood_kinds.ts";

/** The pings of an honest client beside a flood. */
export interface HonestPings {
  readonly count: number;
  /** How many were not answered with 200. */
  readonly refused: number;
  /** The median time to the response, in milliseconds. */
  readonly medianMs: number;
}

/** Sends requests of a flood, and pings of the honest client beside them. */
export class FloodSender {
  /** The statuses of the responses. */
  readonly statuses: Set<number> = new Set();
  readonly #flood: Flood;
  readonly #honest: TestClient;
  /** How many requests were answered. */
  sent = 0;
  /** The processor time of the requests, with sending them. */
  cpuMicros = 0;
  readonly #waits: number[] = [];
  #honestRefused = 0;

  constructor(flood: Flood, honest: TestClient) {
    this.#flood = flood;
    this.#honest = honest;
  }

  get honest(): HonestPings {
    const waits = this.#waits.toSorted((a, b) => a - b);
    return {
      count: waits.length,
      refused: this.#honestRefused,
      medianMs: waits[waits.length >> 1]!,
    };
  }

  /** Sends some requests, or those that it can send until then. */
  async send(count: number, maxMs: number): Promise<void> {
    const { atOnce = 50 } = this.#flood;
    const start = process.cpuUsage();
    const end = performance.now() + maxMs;
    for (let left = count; left > 0; left -= atOnce) {
      if (performance.now() > end) break;
      const batch = Array.from(
        { length: Math.min(atOnce, left) },
        () => this.#sendOne(),
      );
      if (left === count || left % 1_000 < atOnce) batch.push(this.#ping());
      await Promise.all(batch);
      this.sent += Math.min(atOnce, left);
    }
    const { user, system } = process.cpuUsage(start);
    this.cpuMicros += user + system;
  }

  async #sendOne(): Promise<void> {
    const response = await this.#flood.send();
    this.statuses.add(response.status);
    // A stream that another one has replaced has failed.
    await response.body?.cancel().catch(() => {});
  }

  async #ping(): Promise<void> {
    const start = performance.now();
    if (await this.#honest.ping() !== 200) this.#honestRefused++;
    this.#waits.push(performance.now() - start);
  }
}
