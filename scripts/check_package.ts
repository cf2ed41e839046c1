/**
 * Packs the package for npm and uses it as its users do: what is inside, publint
 * and "Are the types wrong?", then imports from Node and Bun and a build with
 * TypeScript. Built by `deno pack`, which needs no network, and bundled as what is
 * published, which scripts/build_npm.ts builds from the same sources.
 */
import { bundleModules } from "./lib/bundle_modules.ts";
import { DENO, NPM, output, run, type RunOptions } from "./lib/command.ts";
import { installConsumer, tsconfigs, writeConsumer } from "./lib/consumer.ts";
import { checkContents } from "./lib/package_contents.ts";
import { bun, node } from "./lib/runtimes.ts";
import { readDenoConfig } from "./lib/npm_only.ts";

async function must(
  what: string,
  code: number | Promise<number>,
): Promise<void> {
  if (await code !== 0) throw new Error(`${what}: failed.`);
  console.log(`${what}: ok.`);
}

/** Runs the program of an npm package of deno.json. */
function tool(name: string, args: string[], options?: RunOptions) {
  return run(
    DENO,
    ["run", "--quiet", "--allow-all", `npm:${name}`, ...args],
    options,
  );
}

/** Builds the package in a folder; returns where it is. */
async function pack(folder: string): Promise<string> {
  const built = "built.tgz";
  await output(DENO, [
    "pack",
    "--allow-dirty",
    "--no-source-maps",
    `--output=${folder}/${built}`,
  ]);
  await output(["tar"], ["-xzf", built], { cwd: folder });
  await bundleModules(`${folder}/package`);
  const args = ["pack", "--json", "--pack-destination", ".."];
  const packed = await output([NPM], args, { cwd: `${folder}/package` });
  return `${folder}/${JSON.parse(packed!)[0].filename}`;
}

async function main(folder: string): Promise<void> {
  const tarball = await pack(folder);
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

const folder = await Deno.makeTempDir({ prefix: "session-manager-package-" });
try {
  await main(folder);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}
