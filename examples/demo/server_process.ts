/** An MCP server in its own process. */
export class ServerProcess implements AsyncDisposable {
  /** Its address. */
  readonly url: URL;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, url: URL) {
    this.#child = child;
    this.url = url;
  }

  /**
   * Starts a server, and waits until it prints its address.
   *
   * @param command The command that starts it.
   * @param env Its environment variables.
   */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const [program = "", ...args] = command;
    const child = new Deno.Command(program, {
      args,
      env: { PORT: "0", ...env },
      stdin: "piped", // ends with this process
      stdout: "piped",
    }).spawn();
    let output = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      output += text;
      const address = output.match(/^http:\S+$/m)?.[0];
      if (address !== undefined) {
        return new ServerProcess(child, new URL(address));
      }
    }
    throw new Error(`The server did not start: ${command.join(" ")}`);
  }

  /** The ID of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<unknown> {
    return this.#child.status;
  }

  /**
   * Requests it to stop.
   *
   * @returns Its exit code, or `undefined` if it had to be killed.
   */
  async stop(): Promise<number | undefined> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    this.#child.kill("SIGTERM");
    const { code, signal } = await this.#child.status;
    clearTimeout(timer);
    return signal === null ? code : undefined;
  }

  /** Kills it, if it still runs. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
