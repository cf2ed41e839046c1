import type { Client } from "./client.ts";

/** The notifications that the clients should receive in one step. */
export interface Step {
  /** The method of the notification. */
  readonly method: string;
  /**
   * Selects the clients that should receive it; the others should receive
   * nothing.
   */
  readonly to: (client: Client) => boolean;
  /** Selects clients that are not counted. */
  readonly except?: (client: Client) => boolean;
  /** The number of notifications per client. */
  readonly times: number;
  /** Makes the server send them. */
  readonly cause: () => Promise<unknown>;
}

/** The result of a step. */
export interface Outcome {
  readonly recipients: number;
  readonly expected: number;
  readonly received: number;
  /** The time from the request to the last receipt, in milliseconds. */
  readonly ms: number;
  /** The number of clients that received anything else. */
  readonly wrong: number;
  /** The error that kept the server from sending. */
  readonly error: unknown;
}

/**
 * The time limit for missing notifications and for surplus ones, in
 * milliseconds.
 */
const TIMEOUT_MS = 10_000;
const SURPLUS_MS = 200;

/** All connected clients. */
export class Audience {
  readonly clients: Client[] = [];
  #received = 0;
  #lastReceipt = 0;
  #wanted = Infinity;
  #except: (client: Client) => boolean = () => false;
  #complete: () => void = () => {};

  /** Must be called for each notification that a client receives. */
  readonly onReceive = (client: Client): void => {
    if (this.#except(client)) return;
    this.#lastReceipt = performance.now();
    if (++this.#received === this.#wanted) this.#complete();
  };

  /** Causes notifications, waits for them, and counts them client by client. */
  async run(
    { method, to, except = () => false, times, cause }: Step,
  ): Promise<Outcome> {
    for (const client of this.clients) client.resetCounts();
    const counted = this.clients.filter((client) => !except(client));
    const recipients = counted.filter(to).length;
    this.#except = except;
    this.#received = 0;
    this.#wanted = recipients * times;
    const complete = new Promise<void>((resolve) => this.#complete = resolve);
    const start = this.#lastReceipt = performance.now();
    const error = await cause().then(() => undefined, (error) => error);
    await Promise.race([complete, sleep(TIMEOUT_MS)]);
    await sleep(SURPLUS_MS);
    return {
      recipients,
      expected: this.#wanted,
      received: this.#received,
      ms: this.#lastReceipt - start,
      wrong:
        counted.filter((client) =>
          !client.hasExactly(to(client) ? times : 0, method)
        ).length,
      error,
    };
  }

  /**
   * Counts the streams that the server has ended, once all have ended or the
   * time limit is over.
   */
  ended(clients: readonly Client[]): Promise<number> {
    return this.count(clients, (client) => client.ended);
  }

  /**
   * Counts the clients with a property, once all have it or the time limit is
   * over.
   */
  async count<C extends Client>(
    clients: readonly C[],
    holds: (client: C) => boolean,
  ): Promise<number> {
    const count = () => clients.filter(holds).length;
    await this.until(() => count() === clients.length);
    return count();
  }

  /** Waits for a condition, up to the time limit. */
  async until(holds: () => boolean): Promise<void> {
    const late = performance.now() + TIMEOUT_MS;
    while (!holds() && performance.now() < late) await sleep(20);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
