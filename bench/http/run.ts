/**
 * Runs `main.ts` with servers on Deno, and on Node and Bun where they are found,
 * one after the other; names of runtimes as arguments choose among them. Bundled
 * first: the same plain JavaScript for all of them, and Node 20 reads no
 * TypeScript. The clients run on Node if there is one, which reads quicker.
 */
import {
  DENO,
  npx,
  output,
  type Program,
  ROOT,
} from "../../scripts/lib/command.ts";

const directory = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  const [main, server] = [await bundle("main"), await bundle("server")];
  const node = await executable(["node"]);
  const runtimes: { [name: string]: string[] | undefined } = {
    deno: [...DENO, "run", "-A"],
    node,
    bun: await executable(["bun"]) ?? await executable(npx("bun@1", "bun")),
  };
  const chosen = Deno.args.filter((arg) => arg in runtimes);
  const flags = Deno.args.filter((arg) => !(arg in runtimes));
  for (const [name, command] of Object.entries(runtimes)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    if (command === undefined) {
      console.log(`${name} is not on the PATH: left out\n`);
      continue;
    }
    const clients = node ?? [...DENO, "run", "-A"];
    if (!await run([...clients, main, ...flags, "--", ...command, server])) {
      Deno.exitCode = 1;
    }
    console.log();
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}

/** Bundles a program of this folder; returns where. */
async function bundle(name: string): Promise<string> {
  const path = `${directory}/${name}.mjs`;
  const source = `bench/http/${name}.ts`;
  if (await run([...DENO, "bundle", "--quiet", source, "-o", path])) {
    return path;
  }
  throw new Error(`${source} could not be bundled.`);
}

/**
 * The program itself: a script in its place, as npm installs some, would be what
 * is killed, and leave the program behind.
 */
async function executable(program: Program): Promise<string[] | undefined> {
  const path = await output(program, ["-p", "process.execPath"]);
  return path === undefined ? undefined : [path];
}

async function run([command = "", ...args]: string[]): Promise<boolean> {
  const child = new Deno.Command(command, { args, cwd: ROOT, stdin: "piped" });
  // It is left open: the program ends when this one is gone.
  return (await child.spawn().status).success;
}
