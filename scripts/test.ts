/**
 * Runs the same tests on every runtime and adds up the results.
 *
 * ```sh
 * deno task test                           Deno, Node and Bun
 * deno task test node --node=22 --node=24  Node from the PATH, 22 and 24
 * deno task test bun tests/in_memory       a folder or file, on Bun
 * deno task test --node=24 --brief         what one of them shows for all, once
 * ```
 *
 * Node is the one on the PATH, Bun too where there is one. What is missing comes
 * from npm, and so does `@std` where JSR is out of reach. Before the last lines,
 * which count, stands what failed.
 */
import { DENO, exitWith, filesUnder, run } from "./lib/command.ts";
import {
  countCases,
  type Counts,
  type Failure,
  failuresOf,
  inWords,
  sum,
} from "./lib/junit.ts";
import { jsrAnswers, writeNpmOnlyMap } from "./lib/npm_only.ts";
import { bun, deno, node, type Runtime } from "./lib/runtimes.ts";

const RUNTIMES: Record<string, () => Promise<Runtime>> = { deno, node, bun };
const DENO_ONLY = "tests/deno/";
/** How many lines of a failure are shown in the end. */
const TEXT_LINES = 10;

/**
 * What one runtime shows for all of them: that the suites find faults, and pass, what
 * a Redis server is asked to do, and processes on all of them in one cluster.
 */
const SHOWN_ONCE = [
  "tests/testing/",
  "tests/cluster/suite_test.ts",
  "tests/redis/acl_test.ts",
  "tests/redis/commands_test.ts",
  "tests/redis/mixed_test.ts",
];
/**
 * What one release of Node shows for all of them: besides, that the engine lets go of
 * what it held, and what nodes make of a network that is none of the release's.
 */
const SAME_ON_EVERY_RELEASE = [
  ...SHOWN_ONCE,
  "tests/cluster/",
  "tests/redis/",
  "tests/e2e/redis_",
  "tests/memory/churn_test.ts",
  "tests/memory/cluster_test.ts",
  "tests/memory/streams_test.ts",
];

/** A runtime, and which of the tests are not for it. */
interface Choice {
  start: () => Promise<Runtime>;
  leaveOut: readonly string[];
}

interface Arguments {
  choices: Choice[];
  paths: string[];
}

function parse(args: readonly string[]): Arguments {
  const runtimes: Choice["start"][] = [];
  const releases: Choice["start"][] = [];
  const paths: string[] = [];
  let isBrief = false;
  for (const arg of args) {
    const release = /^--node=(.+)$/.exec(arg)?.[1];
    if (release) releases.push(() => node(release));
    else if (RUNTIMES[arg]) runtimes.push(RUNTIMES[arg]);
    else if (arg === "--brief") isBrief = true;
    else if (arg.startsWith("tests")) paths.push(arg.replaceAll("\\", "/"));
    else {
      throw new Error(
        `Unknown argument "${arg}". Give "deno", "node", "bun", "--node=<release>", "--brief" or a path under "tests".`,
      );
    }
  }
  const chosen = runtimes.length > 0 ? runtimes : Object.values(RUNTIMES);
  return {
    choices: [
      ...chosen.map((start, at) => ({
        start,
        leaveOut: isBrief && at > 0 ? SHOWN_ONCE : [],
      })),
      ...releases.map((start) => ({
        start,
        leaveOut: isBrief ? SAME_ON_EVERY_RELEASE : [],
      })),
    ],
    paths,
  };
}

interface Outcome {
  counts: Counts;
  failures: Failure[];
}

/** Runs the tests on a runtime; answers what became of them. */
async function test(
  runtime: Runtime,
  files: readonly string[],
  folder: string,
  importMap: string | undefined,
): Promise<Outcome> {
  console.log(`\n=== ${runtime.name}\n`);
  const report = `${folder}/${runtime.name.replaceAll(" ", "_")}.xml`;
  const code = await run(
    runtime.program,
    runtime.args({ files, report, importMap }),
  );
  const xml = await Deno.readTextFile(report).catch(() => "");
  const counts = countCases(xml);
  const failures = failuresOf(xml);
  if (counts.failed === 0) {
    // A file that does not load is in no report.
    const name = code !== 0
      ? `It ended with exit code ${code}.`
      : counts.passed === 0
      ? "It ran no test."
      : undefined;
    if (name !== undefined) {
      counts.failed = 1;
      failures.push({ name, text: "" });
    }
  }
  return { counts, failures };
}

/** Says what failed once more, where the end of a long output is all there is. */
function show(runtime: Runtime, failures: readonly Failure[]): void {
  for (const { name, text } of failures) {
    console.log(`\nFAILED on ${runtime.name}: ${name}`);
    const lines = text.split("\n");
    if (lines.length > TEXT_LINES) lines.splice(TEXT_LINES, Infinity, "…");
    for (const line of lines) if (line.trim()) console.log(`    ${line}`);
  }
}

async function main(): Promise<number> {
  const { choices, paths } = parse(Deno.args);
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
    const failed: Parameters<typeof show>[] = [];
    for (const { start, leaveOut } of choices) {
      const runtime = await start();
      const own = files.filter((file) =>
        !leaveOut.some((path) => file.startsWith(path)) &&
        (runtime.isDeno || !file.startsWith(DENO_ONLY))
      );
      const startedAt = performance.now();
      const { counts, failures } = await test(
        runtime,
        own,
        folder,
        importMap,
      );
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      summary.push(
        `${runtime.name.padEnd(16)}${inWords(counts)} (${seconds} s)`,
      );
      all.push(counts);
      failed.push([runtime, failures]);
    }
    const total = sum(all);
    for (const each of failed) show(...each);
    // What was skipped stands with each runtime: the last line has two numbers.
    const words = inWords({ ...total, skipped: 0 });
    console.log(`\n${summary.join("\n")}\n${words}`);
    return total.failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await exitWith(main);
