/** The time limit for the start, in milliseconds. */
const START_MS = 10_000;

/** A `redis-server` on a free port, without persistence. */
export class RedisProcess implements AsyncDisposable {
  readonly #port = freePort();
  readonly #isDetached: boolean;
  #child: Deno.ChildProcess | undefined;

  /**
   * Creates it; `start` starts it.
   *
   * @param isDetached Whether Ctrl+C does not end it, because the demo does that
   * when the servers have ended.
   */
  constructor(isDetached = false) {
    this.#isDetached = isDetached;
  }

  /** Returns the version of the one on the PATH, if there is one. */
  static async version(): Promise<string | undefined> {
    try {
      const command = new Deno.Command("redis-server", { args: ["--version"] });
      const { stdout } = await command.output();
      return new TextDecoder().decode(stdout).match(/v=(\S+)/)?.[1];
    } catch {
      return undefined;
    }
  }

  /** Its address. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it with an empty database, and waits until it responds. */
  async start(): Promise<void> {
    this.#child = new Deno.Command("redis-server", {
      args: [
        ...["--port", `${this.#port}`, "--bind", "127.0.0.1"],
        ...["--save", "", "--appendonly", "no"],
      ],
      stdout: "null",
      detached: this.#isDetached,
    }).spawn();
    const late = performance.now() + START_MS;
    while (!await this.#answers()) {
      if (performance.now() > late) throw new Error("Redis did not start.");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Kills it. */
  async kill(): Promise<void> {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child?.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #answers(): Promise<boolean> {
    try {
      using connection = await Deno.connect({ port: this.#port });
      await connection.write(new TextEncoder().encode("PING\r\n"));
      const answer = new Uint8Array(16);
      const length = await connection.read(answer) ?? 0;
      return new TextDecoder().decode(answer.subarray(0, length))
        .startsWith("+PONG");
    } catch {
      return false;
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
