import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { until } from "../e2e/support/until.ts";

/** How long a server may take to start, on a machine that may be busy. */
const START_MS = 30_000;

// The server ends with this process, however that ends: then the standard input
// of the watching shell is closed.
const SCRIPT = `
exec 3<&0
(cat <&3 >/dev/null; kill -9 $$) 2>/dev/null &
exec "$@" >/dev/null 2>&1 3<&-
`;

/** What a {@linkcode ServerProcess} runs. */
export interface ServerCommand {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Returns whether it answers. */
  readonly answers: () => Promise<boolean>;
}

/** A server of the tests that can be killed, stopped and started again. */
export class ServerProcess {
  readonly #server: ServerCommand;
  #process: ChildProcess | undefined;

  constructor(server: ServerCommand) {
    this.#server = server;
  }

  /** Starts it, also again, and waits until it answers. */
  async start(): Promise<void> {
    await this.kill();
    const { command, answers } = this.#server;
    this.#process = spawn("sh", ["-c", SCRIPT, "sh", ...command], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    await until(answers, `${command[0]} to answer`, START_MS);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    const ended = once(server, "exit");
    this.signal("SIGKILL");
    this.#process = undefined;
    server.stdin!.end();
    await ended;
  }

  /** The ID of its process, while it runs. */
  protected get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Sends it a signal; with SIGSTOP, its connections stay open. */
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    const { pid } = this;
    // Deno considers a child that received any signal killed.
    if (pid !== undefined) process.kill(pid, name);
  }
}

/** Returns a port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
