import type { Client } from "./client.ts";

/** What the clients shall receive in one step. */
export interface Step {
  /** What the server shall notify of. */
  readonly method: string;
  /** Who shall receive it; all others shall receive nothing. */
  readonly to: (client: Client) => boolean;
  /** Of whom nothing is said. */
  readonly except?: (client: Client) => boolean;
  /** How often each. */
  readonly times: number;
  /** Makes the server send it. */
  readonly cause: () => Promise<unknown>;
}

/** What came of a step. */
export interface Outcome {
  readonly recipients: number;
  readonly expected: number;
  readonly received: number;
  /** From asking the server to the last receipt, in milliseconds. */
  readonly ms: number;
  /** Clients that received anything but what they should. */
  readonly wrong: number;
  /** Why the server could not be made to send it. */
  readonly error: unknown;
}

/** How long to wait for what is missing, and for what should not come. */
const PATIENCE_MS = 10_000;
const SURPLUS_MS = 200;

/** All clients together. */
export class Audience {
  readonly clients: Client[] = [];
  #received = 0;
  #lastReceipt = 0;
  #wanted = Infinity;
  #except: (client: Client) => boolean = () => false;
  #complete: () => void = () => {};

  /** To be called for each notification that a client receives. */
  readonly onReceive = (client: Client): void => {
    if (this.#except(client)) return;
    this.#lastReceipt = performance.now();
    if (++this.#received === this.#wanted) this.#complete();
  };

  /** Causes notifications, waits for them, and counts client by client. */
  async run(
    { method, to, except = () => false, times, cause }: Step,
  ): Promise<Outcome> {
    for (const client of this.clients) client.forget();
    const counted = this.clients.filter((client) => !except(client));
    const recipients = counted.filter(to).length;
    this.#except = except;
    this.#received = 0;
    this.#wanted = recipients * times;
    const complete = new Promise<void>((resolve) => this.#complete = resolve);
    const start = this.#lastReceipt = performance.now();
    const error = await cause().then(() => undefined, (error) => error);
    await Promise.race([complete, sleep(PATIENCE_MS)]);
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

  /** Counts the streams that the server has ended, once all have or it is late. */
  ended(clients: readonly Client[]): Promise<number> {
    return this.count(clients, (client) => client.ended);
  }

  /** Counts the clients of which something holds, once it does of all or it is late. */
  async count<C extends Client>(
    clients: readonly C[],
    holds: (client: C) => boolean,
  ): Promise<number> {
    const count = () => clients.filter(holds).length;
    await this.until(() => count() === clients.length);
    return count();
  }

  /** Waits for something, but not forever. */
  async until(holds: () => boolean): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    while (!holds() && performance.now() < late) await sleep(20);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
