/**
 * Runs a bench of this folder on Deno, and on Node and Bun where they are
 * found, one after the other: `deno run -A bench/run.ts fan_out_ratios`. It is
 * bundled first: all runtimes run the same plain JavaScript, and Node 20 reads
 * no TypeScript.
 */
const [name = "", ...args] = Deno.args;
const directory = await Deno.makeTempDir();
try {
  const bundle = `${directory}/${name}.mjs`;
  const program = `${import.meta.dirname}/${name}.ts`;
  const bundled = await run(
    Deno.execPath(),
    ["bundle", "--quiet", program, "-o", bundle],
  );
  if (!bundled) throw new Error("The program could not be bundled.");

  const runtimes: [command: string, ...args: string[]][] = [
    [Deno.execPath(), "run", "-R", "--v8-flags=--expose-gc", bundle],
    ["node", "--expose-gc", bundle],
    (await exists("bun")) ? ["bun", bundle] : ["npx", "-y", "bun@1", bundle],
  ];
  for (const [command, ...own] of runtimes) {
    if (!await exists(command)) {
      console.log(`${command} is not on the PATH: skipped\n`);
      continue;
    }
    if (!await run(command, [...own, ...args])) Deno.exitCode = 1;
    console.log();
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}

async function exists(command: string): Promise<boolean> {
  try {
    const program = new Deno.Command(command, { args: ["--version"] });
    return (await program.output()).success;
  } catch {
    return false;
  }
}

async function run(command: string, args: string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args }).spawn().status).success;
}
