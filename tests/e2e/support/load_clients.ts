import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { commandFor, OWN_RUNTIME } from "../../redis/support/runtimes.ts";
import type {
  Command,
  DisconnectKind,
  Outcome,
  Pace,
  Report,
} from "./load_commands.ts";

/** Reads everything immediately. */
export const QUICK: Pace = { bytes: 65_536, everyMs: 0 };
/** Reads the beginning of the stream and then stops. The connection stays open. */
export const STALLED: Pace = { bytes: 4_096, everyMs: -1 };

/** Clients in a separate process, so that they don't slow the server down. */
export class LoadClients implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #responses: AsyncIterator<string>;
  readonly #lines: Interface;

  /** @param url URL of the server. */
  constructor(url: string) {
    const script = new URL("./load_client_process.ts", import.meta.url);
    const [program, ...args] = commandFor(OWN_RUNTIME, script);
    this.#process = spawn(program, [...args, new URL(url).port], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#exited = new Promise((resolve) =>
      this.#process.once("close", () => resolve())
    );
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#responses = this.#lines[Symbol.asyncIterator]();
  }

  /** Opens streams of the sessions `<name>-0`, `<name>-1` and so on. */
  async open(name: string, count: number, pace: Pace): Promise<void> {
    await this.#run({ open: name, count, pace });
  }

  /** Changes the interval between reads of a group. */
  async setPace(name: string, everyMs: number): Promise<void> {
    await this.#run({ pace: name, everyMs });
  }

  /** Disconnects a group. */
  async disconnect(name: string, how: DisconnectKind): Promise<void> {
    await this.#run({ disconnect: name, how });
  }

  /** Waits until a group has received an event, then returns its report. */
  report(name: string, upTo: number): Promise<Report> {
    return this.#run<Report>({ report: name, upTo });
  }

  /**
   * Waits until all connections of a group are closed, then returns how they
   * ended.
   */
  outcomes(name: string): Promise<Outcome[]> {
    return this.#run<Outcome[]>({ outcomes: name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
    this.#lines.close();
  }

  async #run<Response>(command: Command): Promise<Response> {
    this.#process.stdin!.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#responses.next();
    // The process prints the reason to stderr.
    if (done) throw new Error(`No response to ${JSON.stringify(command)}.`);
    return JSON.parse(value);
  }
}
