/**
 * Runs the same tests on every runtime and adds up the results.
 *
 * ```sh
 * deno task test                           Deno, Node and Bun
 * deno task test node --node=22 --node=24  Node from the PATH, 22 and 24
 * deno task test bun tests/in_memory       a folder or file, on Bun
 * ```
 *
 * Node is the one on the PATH, Bun too where there is one. What is missing comes
 * from npm, and so does `@std` where JSR is out of reach.
 */
import { DENO, exitWith, filesUnder, run } from "./lib/command.ts";
import { countCases, type Counts, inWords, sum } from "./lib/junit.ts";
import { jsrAnswers, writeNpmOnlyMap } from "./lib/npm_only.ts";
import { bun, deno, node, type Runtime } from "./lib/runtimes.ts";

const RUNTIMES: Record<string, () => Promise<Runtime>> = { deno, node, bun };
const DENO_ONLY = "tests/deno/";

interface Arguments {
  runtimes: (() => Promise<Runtime>)[];
  paths: string[];
}

function parse(args: readonly string[]): Arguments {
  const runtimes: Arguments["runtimes"] = [];
  const releases: Arguments["runtimes"] = [];
  const paths: string[] = [];
  for (const arg of args) {
    const release = /^--node=(.+)$/.exec(arg)?.[1];
    if (release) releases.push(() => node(release));
    else if (RUNTIMES[arg]) runtimes.push(RUNTIMES[arg]);
    else if (arg.startsWith("tests")) paths.push(arg.replaceAll("\\", "/"));
    else {
      throw new Error(
        `Unknown argument "${arg}". Give "deno", "node", "bun", "--node=<release>" or a path under "tests".`,
      );
    }
  }
  const chosen = runtimes.length > 0 ? runtimes : Object.values(RUNTIMES);
  return { runtimes: [...chosen, ...releases], paths };
}

/** The runtime's tests, and what became of them. */
async function test(
  runtime: Runtime,
  files: readonly string[],
  folder: string,
  importMap: string | undefined,
): Promise<Counts> {
  console.log(`\n=== ${runtime.name}\n`);
  const report = `${folder}/${runtime.name.replaceAll(" ", "_")}.xml`;
  const own = files.filter((file) =>
    runtime.isDeno || !file.startsWith(DENO_ONLY)
  );
  const code = await run(
    runtime.program,
    runtime.args({ files: own, report, importMap }),
  );
  const counts = countCases(await Deno.readTextFile(report).catch(() => ""));
  if (code !== 0 && counts.failed === 0) {
    // A file that does not load is in no report.
    console.error(`${runtime.name} ended with exit code ${code}.`);
    counts.failed = 1;
  } else if (counts.passed + counts.failed === 0) {
    console.error(`${runtime.name} ran no test.`);
    counts.failed = 1;
  }
  return counts;
}

async function main(): Promise<number> {
  const { runtimes, paths } = parse(Deno.args);
  const folder = await Deno.makeTempDir({ prefix: "session-manager-tests-" });
  try {
    const files = (await filesUnder("tests", "_test.ts")).filter((file) =>
      paths.length === 0 || paths.some((path) => file.startsWith(path))
    );
    const npmOnly = await writeNpmOnlyMap(folder);
    let importMap: string | undefined;
    if (!await jsrAnswers()) {
      importMap = npmOnly;
      console.log(
        "jsr.io cannot be reached: the tests use npm's copies of @std.",
      );
    }
    // Fills node_modules, where Node and Bun look: `deno install` needs JSR.
    const code = await run(DENO, [
      "cache",
      "--quiet",
      `--import-map=${npmOnly}`,
      "tests/npm_std/assert.ts",
    ]);
    if (code !== 0) throw new Error("The packages of npm cannot be installed.");

    const summary: string[] = [];
    const all: Counts[] = [];
    for (const start of runtimes) {
      const runtime = await start();
      const startedAt = performance.now();
      const counts = await test(runtime, files, folder, importMap);
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      summary.push(
        `${runtime.name.padEnd(16)}${inWords(counts)} (${seconds} s)`,
      );
      all.push(counts);
    }
    const total = sum(all);
    console.log(`\n${summary.join("\n")}\n${inWords(total)}`);
    return total.failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await exitWith(main);
