import { DENO, ROOT } from "../../scripts/lib/command.ts";

// On a clean checkout, Deno gets the packages first.
const START_MS = 120_000;

/** A server of `server.ts`, in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  /** Where it listens. */
  readonly url: URL;
  /** What it said, besides where it listens, once it has ended. */
  readonly said: Promise<string>;
  readonly #child: Deno.ChildProcess;

  private constructor(
    child: Deno.ChildProcess,
    said: Promise<string>,
    url: URL,
  ) {
    this.#child = child;
    this.said = said;
    this.url = url;
  }

  /**
   * Starts a server, and waits until it listens.
   *
   * @param name Which.
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
        // Without it, Deno aborts the request that brings a client's answer as
        // soon as it is accepted, and tmcp then throws the answer away.
        "--unstable-no-legacy-abort",
        ...(importMap ? [`--import-map=${importMap}`] : []),
        "tests/conformance/server.ts",
        name,
      ],
      cwd: ROOT,
      // It ends with us, whatever becomes of us.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
    let printed = "";
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      printed += text;
      const address = /^http:\S+$/m.exec(printed)?.[0];
      if (address !== undefined) {
        clearTimeout(timer);
        return new ServerProcess(child, said, new URL(address));
      }
    }
    clearTimeout(timer);
    throw new Error(`"${name}" did not start: ${await said}`);
  }

  /** Kills it, if it still runs. */
  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
  }

  /** The same as {@linkcode stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
