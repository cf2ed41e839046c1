import { createClient } from "redis";
import { until } from "../../e2e/support/until.ts";
import type { RedisServer } from "./redis_server.ts";

/** A command that a server received. */
export interface Seen {
  /** In lower case. */
  readonly name: string;
  readonly args: readonly string[];
  /** The address of its sender; `"lua"` for a script. */
  readonly from: string;
}

// A line of MONITOR: `1700000000.123456 [0 127.0.0.1:5000] "set" "a" "b"`.
const LINE = /^\S+ \[\d+ (\S+)\] (.*)$/s;

/** Records the commands that a server receives from all of its clients. */
export class CommandsSeen implements AsyncDisposable {
  readonly #server: RedisServer;
  readonly #client: ReturnType<typeof createClient>;
  #seen: Seen[] = [];

  private constructor(server: RedisServer) {
    this.#server = server;
    this.#client = createClient({ url: server.url });
    this.#client.on("error", () => {});
  }

  /** Starts to record. */
  static async of(server: RedisServer): Promise<CommandsSeen> {
    const seen = new CommandsSeen(server);
    await seen.#client.connect();
    await seen.#client.monitor((line) => seen.#note(String(line)));
    return seen;
  }

  /** Returns the commands since the last call. */
  async take(): Promise<Seen[]> {
    // Everything that was sent before the mark is recorded when the mark is.
    const mark = crypto.randomUUID();
    await this.#server.command("ECHO", mark);
    const isMark = ({ args }: Seen) => args[0] === mark;
    await until(() => this.#seen.some(isMark), "a mark to be seen", 20_000);
    const { from } = this.#seen.find(isMark)!;
    const taken = this.#seen;
    this.#seen = [];
    return taken.filter((seen) => seen.from !== from);
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  #note(line: string): void {
    const [, from, rest] = LINE.exec(line) ?? [];
    if (from === undefined || rest === undefined) return;
    const words = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/gs)]
      .map(([, word]) => word!);
    const [name = "", ...args] = words;
    this.#seen.push({ name: name.toLowerCase(), args, from });
  }
}
