import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type {
  Command,
  Outcome,
  ServerSetup,
  ServerThread,
} from "./server_thread.ts";
// Keeps a channel of this thread open, which its workers need on Deno.
import "./worker_group.ts";

type Result<Method extends keyof ServerThread> = Awaited<
  ReturnType<ServerThread[Method]>
>;

/** A thread with an MCP server. */
export class RemoteServer {
  readonly #worker: Worker;
  readonly #waiting: Map<number, (outcome: Outcome) => void> = new Map();
  #seq = 0;

  private constructor(program: URL, setup: ServerSetup) {
    this.#worker = new Worker(program, { workerData: setup });
    this.#worker.on("message", (outcome: Outcome) => {
      this.#waiting.get(outcome.seq)?.(outcome);
      this.#waiting.delete(outcome.seq);
    });
  }

  /**
   * Starts threads that form a cluster.
   *
   * @param program The script that they run: `serveRequests` of server_thread.ts.
   * @param count The number of threads.
   * @param bus The event bus of their streams.
   */
  static async start(
    program: URL,
    count: number,
    bus: ServerSetup["bus"],
  ): Promise<readonly RemoteServer[]> {
    const cluster = crypto.randomUUID();
    const servers = Array.from(
      { length: count },
      () => new RemoteServer(program, { cluster, bus }),
    );
    await Promise.all(servers.map((server) => server.#outcome()));
    for (const server of servers) {
      while (await server.run("nodes") < count) await delay(1);
    }
    return servers;
  }

  /** Runs a method in the thread. */
  async run<Method extends keyof ServerThread>(
    method: Method,
    ...args: Parameters<ServerThread[Method]>
  ): Promise<Result<Method>> {
    const command: Command = { seq: this.#seq, method, args };
    const outcome = this.#outcome();
    this.#worker.postMessage(command);
    return await outcome as Result<Method>;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.run("close");
    await this.#worker.terminate();
  }

  #outcome(): Promise<unknown> {
    const seq = this.#seq++;
    return new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#waiting.set(seq, ({ value, error }) => {
        this.#worker.off("error", reject);
        if (error === undefined) resolve(value);
        else reject(error);
      });
    });
  }
}
