import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";
import { BareSender } from "./bare_sender.ts";
import type { Contender, Message, Setup } from "./fan_out_worker.ts";

/** A round that takes longer has lost something, in milliseconds. */
const MOST_MS = 30_000;

/**
 * Kept open until the program ends: on Deno 2.9 a thread that has closed all its
 * channels opens none that works, and their workers must not be ended before them.
 */
export const held: BroadcastChannel = new BroadcastChannel(crypto.randomUUID());

/** Workers with streams for each contender, and what sends to them. */
export class Crowd {
  /** Ours, on this thread. */
  readonly sessions: BroadcastChannelSessions;
  readonly #bare: BareSender;
  readonly #streams: number;
  readonly #workers: readonly Worker[];
  readonly #bytes: Record<Contender, Map<Worker, number>> = {
    ours: new Map(),
    bare: new Map(),
  };

  private constructor(
    name: string,
    workers: readonly Worker[],
    streams: number,
  ) {
    this.sessions = new BroadcastChannelSessions(name);
    this.#bare = new BareSender(`${name}-bare`, workers.length);
    this.#workers = workers;
    this.#streams = workers.length * streams;
  }

  /**
   * Starts workers.
   *
   * @param program What they run: `serve` of fan_out_worker.ts.
   * @param workers How many.
   * @param streams How many each has, for each contender.
   */
  static async start(
    program: URL,
    workers: number,
    streams: number,
  ): Promise<Crowd> {
    const name = crypto.randomUUID();
    const workerData: Setup = { name, streams };
    const crowd = new Crowd(
      name,
      Array.from(
        { length: workers },
        () => new Worker(program, { workerData }),
      ),
      streams,
    );
    // At once: Deno drops what comes before somebody listens.
    await Promise.all(crowd.#workers.map((worker) => crowd.#listen(worker)));
    await crowd.sessions.ready;
    while (crowd.sessions.nodes().length <= workers) await delay(1);
    return crowd;
  }

  /**
   * Sends a text to all, again and again, until the readers have read all.
   *
   * @param burst How many times within a turn of the event loop.
   * @returns How many milliseconds it took.
   */
  async send(
    contender: Contender,
    text: string,
    texts: number,
    burst: number,
  ): Promise<number> {
    const expected = this.#read(contender) +
      texts * text.length * this.#streams;
    const start = performance.now();
    for (let sent = 0; sent < texts; sent += burst) {
      if (contender === "bare") {
        await this.#bare.send(new Array(burst).fill(text));
      } else {
        for (let left = burst; left > 0; left--) {
          this.sessions.streams.send(undefined, text);
        }
      }
      await setImmediate();
    }
    while (this.#read(contender) < expected) {
      if (performance.now() - start > MOST_MS) {
        throw new Error(`Not everything arrived: ${contender}.`);
      }
      await delay(1);
    }
    return performance.now() - start;
  }

  /** Ends the workers, which close their channels before. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => {
      worker.postMessage("close");
      await this.#told(worker, "closed");
      await worker.terminate();
    }));
    await this.sessions.close();
    this.#bare.close();
  }

  async #listen(worker: Worker): Promise<void> {
    await this.#told(worker, "ready");
    worker.on("message", (message: Message) => {
      if (typeof message === "string") return;
      this.#bytes[message.contender].set(worker, message.bytes);
    });
  }

  #told(worker: Worker, what: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", (message: Message) => {
        if (message === what) resolve();
      });
    });
  }

  /** How many bytes all readers have read. */
  #read(contender: Contender): number {
    const each = [...this.#bytes[contender].values()];
    return each.reduce((sum, bytes) => sum + bytes, 0);
  }
}
