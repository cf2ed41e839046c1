import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { createClient } from "redis";
import { until } from "../../e2e/support/until.ts";
import { freePort } from "../../support/server_process.ts";

/** How long the server may take to start, on a machine that may be busy. */
const START_MS = 20_000;

// The server ends with this process, however that ends: then the standard input
// of the watching shell is closed. What the server writes goes into a folder of
// its own.
const SCRIPT = `
dir=$(mktemp -d)
if [ -n "$SNAPSHOT" ]; then cp "$SNAPSHOT" "$dir/dump.rdb"; fi
exec 3<&0
(cat <&3 >/dev/null; kill -9 $$; rm -rf "$dir") 2>/dev/null &
exec redis-server "$@" --dir "$dir" >/dev/null 2>&1 3<&-
`;

/** Whether there is a `redis-server` to start. */
export const hasRedis: boolean =
  spawnSync("redis-server", ["--version"]).status === 0;

/** Defines a group of tests that need Redis; skipped if there is no server. */
export function describeRedis(name: string, define: () => void): void {
  describe(name, () => {
    if (hasRedis) define();
    else it.skip("needs redis-server on the PATH", () => {});
  });
}

/** A `redis-server` of its own, on a free port, that stores nothing on disk. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #config: string | undefined;
  #process: ChildProcess | undefined;
  readonly #snapshots: string[] = [];

  private constructor(
    port: number,
    args: readonly string[],
    config: string | undefined,
  ) {
    this.port = port;
    this.#args = args;
    this.#config = config;
  }

  /**
   * Starts a server, and waits until it responds.
   *
   * @param args More arguments for it.
   * @param config The path of its configuration, if it has one.
   */
  static async start(
    args: readonly string[] = [],
    config?: string,
  ): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args, config);
    await server.restart();
    return server;
  }

  /** Prepares a server without starting it. */
  static async reserve(): Promise<RedisServer> {
    return new RedisServer(await freePort(), [], undefined);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Copies its data to a file, for {@linkcode restart}. */
  async snapshot(): Promise<string> {
    await this.command("SAVE");
    const [, dir] = await this.command<string[]>("CONFIG", "GET", "dir");
    const folder = await mkdtemp(join(tmpdir(), "snapshot-"));
    this.#snapshots.push(folder);
    const snapshot = join(folder, "dump.rdb");
    await copyFile(join(dir!, "dump.rdb"), snapshot);
    return snapshot;
  }

  /**
   * Starts it, also again on the same port: then it is empty, or has the data of
   * a snapshot.
   */
  async restart(snapshot: string = ""): Promise<void> {
    await this.kill();
    this.#process = spawn("sh", [
      "-c",
      SCRIPT,
      "sh",
      ...(this.#config === undefined ? [] : [this.#config]),
      "--port",
      `${this.port}`,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      ...this.#args,
    ], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, SNAPSHOT: snapshot },
    });
    await until(() => this.#answers(), "Redis to answer", START_MS);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    const ended = once(server, "exit");
    this.#signal("SIGKILL");
    this.#process = undefined;
    server.stdin!.end();
    await ended;
  }

  /** Stops it with SIGSTOP; its connections stay open. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  /** Continues it. */
  resume(): void {
    this.#signal("SIGCONT");
  }

  /** Runs a command, over a connection of its own. */
  async command<Reply = unknown>(...args: string[]): Promise<Reply> {
    const client = createClient({
      url: this.url,
      RESP: 2,
      socket: { reconnectStrategy: false },
    });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.sendCommand<Reply & string>(args);
    } finally {
      client.destroy();
    }
  }

  /** Returns a number of `INFO`. */
  async info(section: string, field: string): Promise<number> {
    const text = await this.command<string>("INFO", section);
    const found = new RegExp(`^${field}:(\\d+)`, "m").exec(text)?.[1];
    if (found === undefined) throw new Error(`INFO has no "${field}".`);
    return Number(found);
  }

  /** How often each command ran so far, including those of scripts. */
  async commandCounts(): Promise<Map<string, number>> {
    const text = await this.command<string>("INFO", "commandstats");
    const counts = new Map<string, number>();
    for (
      const [, name, calls] of text.matchAll(/^cmdstat_(.+?):calls=(\d+)/gm)
    ) {
      counts.set(name!, Number(calls));
    }
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    for (const folder of this.#snapshots) {
      await rm(folder, { recursive: true, force: true });
    }
  }

  #signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    const pid = this.#process?.pid;
    // Deno considers a child that received any signal killed.
    if (pid !== undefined) process.kill(pid, name);
  }

  async #answers(): Promise<boolean> {
    try {
      // With a password, it responds only to clients that have it.
      await this.command("PING");
      return true;
    } catch {
      return false;
    }
  }
}
