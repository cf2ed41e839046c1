import { createClient } from "redis";
import { until } from "../../e2e/support/until.ts";
import type { RedisServer } from "./redis_server.ts";

/** A command that a server was sent. */
export interface Seen {
  /** In lower case. */
  readonly name: string;
  readonly args: readonly string[];
  /** Who sent it, by address; `"lua"` for a script. */
  readonly from: string;
}

// What MONITOR says: `1700000000.123456 [0 127.0.0.1:5000] "set" "a" "b"`.
const LINE = /^\S+ \[\d+ (\S+)\] (.*)$/s;

/** What a server is sent from now on, by all of its clients. */
export class CommandsSeen implements AsyncDisposable {
  readonly #server: RedisServer;
  readonly #client: ReturnType<typeof createClient>;
  #seen: Seen[] = [];

  private constructor(server: RedisServer) {
    this.#server = server;
    this.#client = createClient({ url: server.url });
    this.#client.on("error", () => {});
  }

  /** Begins to watch. */
  static async of(server: RedisServer): Promise<CommandsSeen> {
    const seen = new CommandsSeen(server);
    await seen.#client.connect();
    await seen.#client.monitor((line) => seen.#note(String(line)));
    return seen;
  }

  /** What came since it was asked the last time. */
  async take(): Promise<Seen[]> {
    // Whatever was sent before that is seen by the time that it is.
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
