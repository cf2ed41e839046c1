import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { ownProcess } from "../../memory/own_process.ts";
import type { End, Farewell, Order, Pace, Report } from "./load_orders.ts";

/** Reads whatever there is. */
export const QUICK: Pace = { bytes: 65_536, everyMs: 0 };
/** Reads the beginning of the stream and stops, with the connection open. */
export const STALLED: Pace = { bytes: 4_096, everyMs: -1 };

/** Clients in a process of their own, for they are not to slow the server down. */
export class Crowd implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #answers: AsyncIterator<string>;
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
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Opens the streams of sessions `<name>-0`, `<name>-1` and so on. */
  async open(name: string, count: number, pace: Pace): Promise<void> {
    await this.#ask({ open: name, count, pace });
  }

  /** Changes how often a group reads. */
  async pace(name: string, everyMs: number): Promise<void> {
    await this.#ask({ pace: name, everyMs });
  }

  /** Has a group go. */
  async leave(name: string, how: Farewell): Promise<void> {
    await this.#ask({ leave: name, how });
  }

  /** What a group received, as soon as it got the event of a number. */
  report(name: string, upTo: number): Promise<Report> {
    return this.#ask<Report>({ report: name, upTo });
  }

  /** How the connections of a group ended, as soon as they did. */
  ends(name: string): Promise<End[]> {
    return this.#ask<End[]>({ ends: name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
    this.#lines.close();
  }

  async #ask<Answer>(order: Order): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#answers.next();
    // It says on stderr why.
    if (done) throw new Error(`No response to ${JSON.stringify(order)}.`);
    return JSON.parse(value);
  }
}
