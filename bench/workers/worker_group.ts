import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";
import { BareSender } from "./bare_sender.ts";
import type { Contender, Message, Setup } from "./fan_out_worker.ts";

/** The time limit of a round, in milliseconds: after it, something was lost. */
const MAX_ROUND_MS = 30_000;

/**
 * Stays open until the program ends. On Deno 2.9, a thread that has closed all
 * its channels cannot open one that works, and its workers must not end before
 * their channels.
 */
export const held: BroadcastChannel = new BroadcastChannel(crypto.randomUUID());

/** Workers with streams for each contender, and the senders to them. */
export class WorkerGroup {
  /** Our manager on this thread. */
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
   * Starts the workers.
   *
   * @param program The script that they run: `serve` of fan_out_worker.ts.
   * @param workers The number of workers.
   * @param streams The number of streams per worker and contender.
   */
  static async start(
    program: URL,
    workers: number,
    streams: number,
  ): Promise<WorkerGroup> {
    const name = crypto.randomUUID();
    const workerData: Setup = { name, streams };
    const group = new WorkerGroup(
      name,
      Array.from(
        { length: workers },
        () => new Worker(program, { workerData }),
      ),
      streams,
    );
    // Without a pause: Deno drops messages that arrive before there is a
    // listener.
    await Promise.all(group.#workers.map((worker) => group.#listen(worker)));
    await group.sessions.ready;
    while (group.sessions.nodes().length <= workers) await delay(1);
    return group;
  }

  /**
   * Sends a frame to all streams repeatedly, until the readers have read
   * everything.
   *
   * @param burst How often to send within one turn of the event loop.
   * @returns The time it took, in milliseconds.
   */
  async send(
    contender: Contender,
    frame: string,
    frames: number,
    burst: number,
  ): Promise<number> {
    const expected = this.#read(contender) +
      frames * frame.length * this.#streams;
    const start = performance.now();
    for (let sent = 0; sent < frames; sent += burst) {
      if (contender === "bare") {
        await this.#bare.send(new Array(burst).fill(frame));
      } else {
        for (let left = burst; left > 0; left--) {
          this.sessions.streams.send(undefined, frame);
        }
      }
      await setImmediate();
    }
    while (this.#read(contender) < expected) {
      if (performance.now() - start > MAX_ROUND_MS) {
        throw new Error(`Not everything arrived: ${contender}.`);
      }
      await delay(1);
    }
    return performance.now() - start;
  }

  /** Ends the workers after they have closed their channels. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => {
      worker.postMessage("close");
      await this.#waitFor(worker, "closed");
      await worker.terminate();
    }));
    await this.sessions.close();
    this.#bare.close();
  }

  async #listen(worker: Worker): Promise<void> {
    await this.#waitFor(worker, "ready");
    worker.on("message", (message: Message) => {
      if (typeof message === "string") return;
      this.#bytes[message.contender].set(worker, message.bytes);
    });
  }

  #waitFor(worker: Worker, what: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("message", (message: Message) => {
        if (message === what) resolve();
      });
    });
  }

  /** Returns the bytes that all readers have read. */
  #read(contender: Contender): number {
    const each = [...this.#bytes[contender].values()];
    return each.reduce((sum, bytes) => sum + bytes, 0);
  }
}
