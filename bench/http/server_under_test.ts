import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import process from "node:process";
import { Audience } from "./audience.ts";
import { latencies } from "./latencies.ts";
import {
  type Answer,
  type Contender,
  Lines,
  listenOnce,
  type Load,
  type Order,
  type RunReport,
} from "./control.ts";

/** How long to wait for what takes a second, or a few on a busy machine. */
const PATIENCE_MS = 30_000;
/** How long to wait for what should not come. */
const SURPLUS_MS = 100;
/** How long the clients look away, for each connection: see `#watch`. */
const PAUSE_MS = 0.001;

/** What a run took, on both sides. */
export interface Run extends RunReport {
  /** What the clients computed meanwhile. */
  readonly clientCpuMs: number;
  /** How long events took, in milliseconds and in order, where that was wanted. */
  readonly latencies: Float64Array;
}

/** The server process of a contender, and its clients, which are in this one. */
export class ServerUnderTest {
  readonly contender: Contender;
  /** What runs it, with its version. */
  runtime = "";
  /** How many bytes of memory a connection takes. */
  bytesPerConnection = 0;
  /** What the server's clock is ahead of the one here, in milliseconds. */
  #ahead = 0;
  readonly #connections: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #audience: Audience;
  #fail: (error: Error) => void = () => {};
  readonly #failed = new Promise<never>((_, reject) => this.#fail = reject);
  #control: Lines<Order> | undefined;
  /** How many events until the last run ended. */
  #sent = 0;
  #answer: (answer: Answer) => void = () => {};

  private constructor(
    contender: Contender,
    connections: number,
    child: ChildProcess,
  ) {
    this.contender = contender;
    this.#connections = connections;
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("close", resolve));
    this.#audience = new Audience(({ message }) => {
      this.#fail(new Error(`With ${contender}: ${message}`));
    });
    child.once("error", this.#fail);
    child.once("exit", (code) => {
      this.#fail(new Error(`The server of ${contender} ended: ${code}.`));
    });
    this.#failed.catch(() => {}); // Whoever waits is told, or nobody.
  }

  /**
   * Starts a server process and connects clients to it.
   *
   * @param command What runs the server, up to the name of the contender.
   * @param contender Whom it runs.
   * @param connections How many clients.
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
      await server.#inTime(server.#connect(listening.socket));
      return server;
    } catch (error) {
      await server.close();
      throw error;
    } finally {
      listening.close();
    }
  }

  /**
   * Has the server send for a while, and counts what arrives.
   *
   * @param load What it sends, and how long it starts new bursts.
   * @throws {Error} Unless every client got every event, once and in order.
   */
  async run(load: Load): Promise<Run> {
    const first = this.#sent;
    const isTimed = load.everyMs !== undefined;
    this.#audience.arrivals = isTimed ? [] : undefined;
    const cpu = process.cpuUsage();
    const stop = this.#watch(load.burst * this.#connections, isTimed);
    try {
      const report = await this.#inTime(this.#ask({ run: load }));
      const { user, system } = process.cpuUsage(cpu);
      if (!("sent" in report)) throw new Error("This is no report of a run.");
      this.#sent = report.sent;
      this.#audience.check(this.#sent);
      return {
        ...report,
        clientCpuMs: (user + system) / 1_000,
        latencies: latencies(
          this.#audience.arrivals ?? [],
          report.sentAt,
          first,
          this.#ahead,
        ),
      };
    } finally {
      stop();
    }
  }

  /** @throws {Error} When clients got more than was sent. */
  async checkSurplus(): Promise<void> {
    await this.#inTime(sleep(SURPLUS_MS));
    this.#audience.check(this.#sent);
  }

  /** Ends the process, if it still runs, and the connections. */
  async close(): Promise<void> {
    this.#audience.close();
    this.#child.kill("SIGKILL");
    if (this.#child.pid !== undefined) await this.#exited;
  }

  async #connect(socket: Promise<Socket>): Promise<void> {
    const hello = new Promise<Answer>((resolve) => this.#answer = resolve);
    this.#control = new Lines<Order>(await socket, (answer: Answer) => {
      this.#answer(answer);
    });
    const answer = await hello;
    if (!("port" in answer)) throw new Error("The server told no port.");
    this.runtime = answer.runtime;
    // What is set up once is not the connections'.
    const few = Math.ceil(this.#connections / 10);
    await this.#connectUntil(answer.port, few);
    const before = await this.#memory();
    await this.#connectUntil(answer.port, this.#connections);
    this.bytesPerConnection = (await this.#memory() - before) /
      (this.#connections - few);
    this.#ahead = await this.#compareClocks();
  }

  async #connectUntil(port: number, connections: number): Promise<void> {
    await this.#audience.connect(port, connections);
    // Some servers send the head of a response with the first event only, so
    // clients cannot tell when they are connected.
    const connected = async () => {
      const answer = await this.#ask("sessions");
      return "sessions" in answer && answer.sessions === connections;
    };
    while (!await connected()) await sleep(10);
  }

  async #memory(): Promise<number> {
    const answer = await this.#ask("memory");
    return "rss" in answer ? answer.rss : NaN;
  }

  /** The quickest of several answers tells it best. */
  async #compareClocks(): Promise<number> {
    let [ahead, quickest] = [0, Infinity];
    for (let left = 50; left > 0; left--) {
      const asked = performance.now();
      const answer = await this.#ask("clock");
      const took = performance.now() - asked;
      if (!("clock" in answer) || took > quickest) continue;
      quickest = took;
      ahead = answer.clock - asked - took / 2;
    }
    return ahead;
  }

  /**
   * Tells the server how much has arrived, each time that it is a burst more.
   *
   * Between two looks the process sleeps for a moment. It has less work that way,
   * as it finds more on each connection, and is not woken by each single write:
   * that would be work of the server, which real clients do not cause, as they
   * are on other machines. When it is to tell how long events take, it does not.
   */
  #watch(burst: number, isTimed: boolean): () => void {
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    let next = this.#audience.received + burst;
    let stopped = false;
    const look = () => {
      if (stopped) return;
      const { received } = this.#audience;
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

  #ask(order: Order): Promise<Answer> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#control?.send(order);
    });
  }

  /** What a promise resolves with, unless something fails or takes too long. */
  async #inTime<Value>(promise: Promise<Value>): Promise<Value> {
    const timer = setTimeout(() => {
      const received = this.#audience.received / this.#connections;
      this.#fail(
        new Error(
          `The server of ${this.contender} is late: ${received} events a ` +
            "connection have arrived.",
        ),
      );
    }, PATIENCE_MS);
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
