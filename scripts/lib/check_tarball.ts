import { DENO, NPM, output, run, type RunOptions } from "./command.ts";
import { installConsumer, tsconfigs, writeConsumer } from "./consumer.ts";
import { readDenoConfig } from "./npm_only.ts";
import { checkContents } from "./package_contents.ts";
import { bun, node } from "./runtimes.ts";

/** Packs a built package; returns the path of the tarball. */
export async function pack(folder: string, into: string): Promise<string> {
  const args = ["pack", "--json", "--pack-destination", into];
  const packed = await output([NPM], args, { cwd: folder });
  return `${into}/${JSON.parse(packed!)[0].filename}`;
}

/**
 * Checks a packed package: its contents, publint and "Are the types wrong?",
 * imports from Node and Bun, and a TypeScript project that uses every entry
 * point. Throws at the first check that fails.
 *
 * @param folder An empty folder, or one without "consumer".
 */
export async function checkTarball(
  tarball: string,
  folder: string,
): Promise<void> {
  await must("publint", tool("publint", [tarball, "--strict"]));
  await must(
    "Are the types wrong?",
    tool("@arethetypeswrong/cli", [tarball, "--profile=esm-only"]),
  );

  const { name, exports } = await readDenoConfig();
  const consumer = `${folder}/consumer`;
  await writeConsumer(consumer, name, Object.keys(exports));
  await installConsumer(consumer, tarball);
  await checkContents(`${consumer}/node_modules/${name}`);
  for (const runtime of [await node(), await bun()]) {
    await must(
      `Import from ${runtime.name}`,
      run(runtime.program, ["main.js"], { cwd: consumer }),
    );
  }
  for (const tsconfig of tsconfigs()) {
    await must(
      `Build with TypeScript, ${tsconfig}`,
      tool("typescript/tsc", ["--project", `${consumer}/${tsconfig}`]),
    );
  }
}

async function must(
  what: string,
  code: number | Promise<number>,
): Promise<void> {
  if (await code !== 0) throw new Error(`${what}: failed.`);
  console.log(`${what}: ok.`);
}

/** Runs the program of an npm package in deno.json. */
function tool(name: string, args: string[], options?: RunOptions) {
  return run(
    DENO,
    ["run", "--quiet", "--allow-all", `npm:${name}`, ...args],
    options,
  );
}
