import { type Program, ROOT } from "../../scripts/lib/command.ts";

/**
 * Runs `main.ts` with servers on one runtime.
 *
 * @param runtimes The commands that run scripts, by runtime.
 * @param name The runtime of the servers.
 * @param programs The paths of the bundled `main.ts` and `server.ts`.
 * @param flags The flags of `main.ts`.
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
    // Stays open as long as this process lives: the program ends with it.
    stdin: "piped",
  });
  return (await child.spawn().status).success;
}
