import { DENO, ROOT } from "../../scripts/lib/command.ts";

// On a clean checkout, Deno downloads the packages first.
const START_MS = 120_000;

/** A `server.ts` in its own process. */
export class ServerProcess implements AsyncDisposable {
  /** The address it listens on. */
  readonly url: URL;
  /** Its other output, once it has ended. */
  readonly output: Promise<string>;
  readonly #child: Deno.ChildProcess;

  private constructor(
    child: Deno.ChildProcess,
    output: Promise<string>,
    url: URL,
  ) {
    this.#child = child;
    this.output = output;
    this.url = url;
  }

  /**
   * Starts a server, and waits until it listens.
   *
   * @param name The name of the server.
   * @param importMap The import map that replaces deno.json's.
   */
  static async start(
    name: string,
    importMap: string | undefined,
  ): Promise<ServerProcess> {
    const [path, ...first] = DENO;
    const child = new Deno.Command(path, {
      args: [
        ...first,
        "run",
        "--allow-all",
        "--quiet",
        "--no-check",
        // Without it, Deno aborts the request that carries a client's answer as
        // soon as it is accepted, and tmcp then drops the answer.
        "--unstable-no-legacy-abort",
        ...(importMap ? [`--import-map=${importMap}`] : []),
        "tests/conformance/server.ts",
        name,
      ],
      cwd: ROOT,
      // It ends when this process does.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = new Response(child.stderr).text();
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
    let printed = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      printed += text;
      const address = /^http:\S+$/m.exec(printed)?.[0];
      if (address !== undefined) {
        clearTimeout(timer);
        return new ServerProcess(child, output, new URL(address));
      }
    }
    clearTimeout(timer);
    throw new Error(`"${name}" did not start: ${await output}`);
  }

  /** Kills it, if it still runs. */
  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
  }

  /** The same as {@linkcode stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
