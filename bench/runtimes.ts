import {
  DENO,
  npx,
  output,
  type Program,
  run,
} from "../scripts/lib/command.ts";

/** What runs programs on each runtime that is found, garbage on demand included. */
export async function findRuntimes(): Promise<Map<string, Program>> {
  const node = await executable(["node"]);
  const bun = await executable(["bun"]) ??
    await executable(npx("bun@1", "bun"));
  const found = new Map<string, Program>([
    ["deno", [...DENO, "run", "-A", "--v8-flags=--expose-gc"]],
  ]);
  if (node !== undefined) found.set("node", [node, "--expose-gc"]);
  else console.log("node is not on the PATH: left out\n");
  if (bun !== undefined) found.set("bun", [bun]);
  else console.log("bun cannot be had: left out\n");
  return found;
}

/** The runtimes that arguments choose, and the other arguments. */
export function chosenRuntimes(
  args: readonly string[],
  runtimes: ReadonlyMap<string, Program>,
): { chosen: string[]; flags: string[] } {
  const known = ["deno", "node", "bun"];
  const wanted = args.filter((arg) => known.includes(arg));
  return {
    chosen: [...runtimes.keys()].filter((name) =>
      wanted.length === 0 || wanted.includes(name)
    ),
    flags: args.filter((arg) => !known.includes(arg)),
  };
}

/** Bundles a program of the project into a folder; returns where. */
export async function bundle(source: string, folder: string): Promise<string> {
  const name = source.slice(source.lastIndexOf("/") + 1, -".ts".length);
  const path = `${folder}/${name}.mjs`;
  const args = ["bundle", "--quiet", source, "-o", path];
  if (await run(DENO, args) === 0) return path;
  throw new Error(`${source} could not be bundled.`);
}

/**
 * The program itself: a script in its place, as npm installs some, would be what
 * is killed, and leave the program behind.
 */
function executable(program: Program): Promise<string | undefined> {
  return output(program, ["-p", "process.execPath"]);
}
