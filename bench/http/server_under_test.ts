import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import process from "node:process";
import { Clients } from "./clients.ts";
import { latencies } from "./latencies.ts";
import {
  type Command,
  type Contender,
  Lines,
  listenOnce,
  type Load,
  type Reply,
  type RunReport,
} from "./control.ts";

/**
 * The time limit of every step, in milliseconds. Steps take a second, or a few
 * on a busy machine.
 */
const TIMEOUT_MS = 30_000;
/** How long to watch for surplus events, in milliseconds. */
const SURPLUS_MS = 100;
/**
 * The pause of the clients between two reads, per connection: see
 * `#reportProgress`.
 */
const PAUSE_MS = 0.001;

/** The results of a run, from both sides. */
export interface Run extends RunReport {
  /** The CPU time of the clients meanwhile. */
  readonly clientCpuMs: number;
  /** The latencies of events in milliseconds, sorted, if they were recorded. */
  readonly latencies: Float64Array;
}

/**
 * The server process of a contender, and its clients, which are in this
 * process.
 */
export class ServerUnderTest {
  readonly contender: Contender;
  /** The name and version of the runtime. */
  runtime = "";
  /** The memory per connection, in bytes. */
  bytesPerConnection = 0;
  /** How far the server's clock is ahead of this one, in milliseconds. */
  #clockOffset = 0;
  readonly #connections: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #clients: Clients;
  #fail: (error: Error) => void = () => {};
  readonly #failed = new Promise<never>((_, reject) => this.#fail = reject);
  #control: Lines<Command> | undefined;
  /** The number of events sent up to the end of the last run. */
  #sent = 0;
  #onReply: (reply: Reply) => void = () => {};

  private constructor(
    contender: Contender,
    connections: number,
    child: ChildProcess,
  ) {
    this.contender = contender;
    this.#connections = connections;
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("close", resolve));
    this.#clients = new Clients(({ message }) => {
      this.#fail(new Error(`With ${contender}: ${message}`));
    });
    child.once("error", this.#fail);
    child.once("exit", (code) => {
      this.#fail(
        new Error(`The server of ${contender} ended with exit code ${code}.`),
      );
    });
    this.#failed.catch(() => {}); // Rejects pending waits; there may be none.
  }

  /**
   * Starts a server process and connects clients to it.
   *
   * @param command The command that runs the server, up to the contender's
   * name.
   * @param contender The contender that it runs.
   * @param connections The number of clients.
   */
  static async start(
    [program = "", ...args]: readonly string[],
    contender: Contender,
    connections: number,
  ): Promise<ServerUnderTest> {
    const listening = await listenOnce();
    const child = spawn(program, [...args, contender, `${listening.port}`], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    const server = new ServerUnderTest(contender, connections, child);
    try {
      await server.#withTimeout(server.#connect(listening.socket));
      return server;
    } catch (error) {
      await server.close();
      throw error;
    } finally {
      listening.close();
    }
  }

  /**
   * Makes the server send for a while, and counts what arrives.
   *
   * @param load What it sends, and for how long it starts new bursts.
   * @throws {Error} If a client did not get every event, once and in order.
   */
  async run(load: Load): Promise<Run> {
    const first = this.#sent;
    const isTimed = load.everyMs !== undefined;
    this.#clients.arrivals = isTimed ? [] : undefined;
    const cpu = process.cpuUsage();
    const stop = this.#reportProgress(load.burst * this.#connections, isTimed);
    try {
      const report = await this.#withTimeout(this.#request({ run: load }));
      const { user, system } = process.cpuUsage(cpu);
      if (!("sent" in report)) {
        throw new Error("The server sent no report of the run.");
      }
      this.#sent = report.sent;
      this.#clients.check(this.#sent);
      return {
        ...report,
        clientCpuMs: (user + system) / 1_000,
        latencies: latencies(
          this.#clients.arrivals ?? [],
          report.sentAt,
          first,
          this.#clockOffset,
        ),
      };
    } finally {
      stop();
    }
  }

  /** @throws {Error} If clients got more than was sent. */
  async checkNoSurplus(): Promise<void> {
    await this.#withTimeout(sleep(SURPLUS_MS));
    this.#clients.check(this.#sent);
  }

  /** Ends the process, if it still runs, and the connections. */
  async close(): Promise<void> {
    this.#clients.close();
    this.#child.kill("SIGKILL");
    if (this.#child.pid !== undefined) await this.#exited;
  }

  async #connect(socket: Promise<Socket>): Promise<void> {
    const hello = new Promise<Reply>((resolve) => this.#onReply = resolve);
    this.#control = new Lines<Command>(await socket, (reply: Reply) => {
      this.#onReply(reply);
    });
    const reply = await hello;
    if (!("port" in reply)) throw new Error("The server reported no port.");
    this.runtime = reply.runtime;
    // Structures that exist once do not belong to the connections.
    const few = Math.ceil(this.#connections / 10);
    await this.#connectUntil(reply.port, few);
    const before = await this.#memory();
    await this.#connectUntil(reply.port, this.#connections);
    this.bytesPerConnection = (await this.#memory() - before) /
      (this.#connections - few);
    this.#clockOffset = await this.#measureClockOffset();
  }

  async #connectUntil(port: number, connections: number): Promise<void> {
    await this.#clients.connect(port, connections);
    // Some servers send the response head only with the first event, so clients
    // cannot tell when they are connected.
    const connected = async () => {
      const reply = await this.#request("sessions");
      return "sessions" in reply && reply.sessions === connections;
    };
    while (!await connected()) await sleep(10);
  }

  async #memory(): Promise<number> {
    const reply = await this.#request("memory");
    return "rss" in reply ? reply.rss : NaN;
  }

  /** The fastest of several replies is the most accurate. */
  async #measureClockOffset(): Promise<number> {
    let [ahead, quickest] = [0, Infinity];
    for (let left = 50; left > 0; left--) {
      const asked = performance.now();
      const reply = await this.#request("clock");
      const took = performance.now() - asked;
      if (!("clock" in reply) || took > quickest) continue;
      quickest = took;
      ahead = reply.clock - asked - took / 2;
    }
    return ahead;
  }

  /**
   * Reports progress to the server whenever another burst has arrived.
   *
   * The process sleeps briefly between two reads. It finds more on each
   * connection that way, and is not woken by every single write: that would
   * cost the server work that real clients, on other machines, do not cause.
   * While latencies are recorded, it does not sleep.
   */
  #reportProgress(burst: number, isTimed: boolean): () => void {
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    let next = this.#clients.received + burst;
    let stopped = false;
    const look = () => {
      if (stopped) return;
      const { received } = this.#clients;
      if (received >= next) {
        this.#control?.send({ received });
        while (next <= received) next += burst;
      }
      if (isTimed) return void setTimeout(look, 1);
      Atomics.wait(nobody, 0, 0, PAUSE_MS * this.#connections);
      setImmediate(look);
    };
    look();
    return () => void (stopped = true);
  }

  #request(command: Command): Promise<Reply> {
    return new Promise((resolve) => {
      this.#onReply = resolve;
      this.#control?.send(command);
    });
  }

  /** Resolves with the promise, or rejects on a failure or after the time limit. */
  async #withTimeout<Value>(promise: Promise<Value>): Promise<Value> {
    const timer = setTimeout(() => {
      const received = this.#clients.received / this.#connections;
      this.#fail(
        new Error(
          `The server of ${this.contender} is late: ${received} events a ` +
            "connection have arrived.",
        ),
      );
    }, TIMEOUT_MS);
    try {
      return await Promise.race([promise, this.#failed]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
