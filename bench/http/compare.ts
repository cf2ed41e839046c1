import { type Program, ROOT } from "../../scripts/lib/command.ts";

/**
 * Runs `main.ts` with servers on a runtime.
 *
 * @param runtimes What runs scripts.
 * @param name The runtime of the servers.
 * @param programs Where `main.ts` and `server.ts` are, bundled.
 * @param flags What `main.ts` is told.
 * @returns Whether it succeeded.
 */
export async function compareOverHttp(
  runtimes: ReadonlyMap<string, Program>,
  name: string,
  programs: { readonly main: string; readonly server: string },
  flags: readonly string[],
): Promise<boolean> {
  const server = [...runtimes.get(name)!, programs.server];
  const [path, ...first] = runtimes.get("node") ?? runtimes.get("deno")!;
  const child = new Deno.Command(path, {
    args: [...first, programs.main, ...flags, "--", ...server],
    cwd: ROOT,
    // It is left open: the program ends when this one is gone.
    stdin: "piped",
  });
  return (await child.spawn().status).success;
}
