import {
  DENO,
  executable,
  npx,
  type Program,
  run,
} from "../scripts/lib/command.ts";

/**
 * Returns the commands that run programs on each runtime found, with explicit
 * garbage collection.
 */
export async function findRuntimes(): Promise<Map<string, Program>> {
  const node = await executable(["node"]);
  const bun = await executable(["bun"]) ??
    await executable(npx("bun@1", "bun"));
  const found = new Map<string, Program>([
    ["deno", [...DENO, "run", "-A", "--v8-flags=--expose-gc"]],
  ]);
  if (node !== undefined) found.set("node", [node, "--expose-gc"]);
  else console.log("node is not on the PATH: skipped\n");
  if (bun !== undefined) found.set("bun", [bun]);
  else console.log("bun is neither on the PATH nor on npm: skipped\n");
  return found;
}

/** Separates the runtimes named in arguments from the other arguments. */
export function selectRuntimes(
  args: readonly string[],
  runtimes: ReadonlyMap<string, Program>,
): { names: string[]; flags: string[] } {
  const known = ["deno", "node", "bun"];
  const wanted = args.filter((arg) => known.includes(arg));
  return {
    names: [...runtimes.keys()].filter((name) =>
      wanted.length === 0 || wanted.includes(name)
    ),
    flags: args.filter((arg) => !known.includes(arg)),
  };
}

/** Bundles a program of the project into a folder; returns its path. */
export async function bundle(source: string, folder: string): Promise<string> {
  const name = source.slice(source.lastIndexOf("/") + 1, -".ts".length);
  const path = `${folder}/${name}.mjs`;
  const args = ["bundle", "--quiet", source, "-o", path];
  if (await run(DENO, args) === 0) return path;
  throw new Error(`${source} could not be bundled.`);
}
