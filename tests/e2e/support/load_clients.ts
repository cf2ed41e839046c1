import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { ownProcess } from "../../memory/own_process.ts";
import type {
  Command,
  DisconnectKind,
  Outcome,
  Pace,
  Report,
} from "./load_commands.ts";

/** Reads whatever there is. */
export const QUICK: Pace = { bytes: 65_536, everyMs: 0 };
/** Reads the beginning of the stream and stops, with the connection open. */
export const STALLED: Pace = { bytes: 4_096, everyMs: -1 };

/** Clients in a process of their own, for they are not to slow the server down. */
export class LoadClients implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #responses: AsyncIterator<string>;
  readonly #lines: Interface;

  /** @param url Of the server. */
  constructor(url: string) {
    const script = new URL("./load_client_process.ts", import.meta.url);
    const [program, ...args] = ownProcess(script);
    this.#process = spawn(program, [...args, new URL(url).port], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#exited = new Promise((resolve) =>
      this.#process.once("close", () => resolve())
    );
    this.#lines = createInterface({ input: this.#process.stdout! });
    this.#responses = this.#lines[Symbol.asyncIterator]();
  }

  /** Opens the streams of sessions `<name>-0`, `<name>-1` and so on. */
  async open(name: string, count: number, pace: Pace): Promise<void> {
    await this.#run({ open: name, count, pace });
  }

  /** Changes how often a group reads. */
  async setPace(name: string, everyMs: number): Promise<void> {
    await this.#run({ pace: name, everyMs });
  }

  /** Has a group go. */
  async disconnect(name: string, how: DisconnectKind): Promise<void> {
    await this.#run({ disconnect: name, how });
  }

  /** What a group received, as soon as it got the event of a number. */
  report(name: string, upTo: number): Promise<Report> {
    return this.#run<Report>({ report: name, upTo });
  }

  /** How the connections of a group ended, as soon as they did. */
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
    // It says on stderr why.
    if (done) throw new Error(`No response to ${JSON.stringify(command)}.`);
    return JSON.parse(value);
  }
}

export { LoadClients as Crowd };
