import process from "node:process";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import type { Load, RunReport } from "./control.ts";
import type { Broadcaster } from "./contenders.ts";

/**
 * The maximum number of bursts in flight. With fewer, the server waits whenever
 * other programs keep the clients from reading for a moment. With many, it runs
 * ahead of its own connections: the backlog leaves in fewer, larger writes than
 * a real server's.
 */
const MAX_IN_FLIGHT = 4;

/**
 * Keeps a server busy: a burst starts when a macrotask has passed since the
 * previous one and the clients have received all but a few.
 */
export class Driver {
  readonly #server: Broadcaster;
  #sent = 0;
  #received = 0;
  #onReceived: () => void = () => {};

  /** @param server The server that sends. */
  constructor(server: Broadcaster) {
    this.#server = server;
  }

  /** Records the number of messages received so far. */
  received(messages: number): void {
    this.#received = messages;
    this.#onReceived();
  }

  /**
   * Sends bursts, and waits until everything has arrived.
   *
   * @param load The number of events in a burst, and for how long to start new
   * ones.
   */
  async run({ burst, ms, everyMs }: Load): Promise<RunReport> {
    const first = this.#sent;
    const sentAt: number[] = [];
    const cpu = process.cpuUsage();
    const start = performance.now();
    let next = start;
    do {
      if (everyMs === undefined) {
        await this.#waitForInFlight((MAX_IN_FLIGHT - 1) * burst);
      } else await delay(Math.max(next - performance.now(), 0));
      for (let left = burst; left > 0; left--) {
        if (everyMs !== undefined) sentAt.push(performance.now());
        await this.#server.send(++this.#sent);
      }
      next += everyMs ?? 0;
      await setImmediate();
    } while (Math.max(performance.now(), next) - start < ms);
    await this.#waitForInFlight(0);
    const { user, system } = process.cpuUsage(cpu);
    return {
      sent: this.#sent,
      events: this.#sent - first,
      ms: performance.now() - start,
      cpuMs: (user + system) / 1_000,
      sentAt,
    };
  }

  /** Waits until at most this many events are in flight. */
  async #waitForInFlight(events: number): Promise<void> {
    const sessions = this.#server.sessions();
    while (this.#sent * sessions - this.#received > events * sessions) {
      await new Promise<void>((resolve) => this.#onReceived = resolve);
    }
  }
}
