/**
 * Runs the same tests on every runtime and adds up the results.
 *
 * ```sh
 * deno task test                             Deno, Node and Bun
 * deno task test:all --node=22 --node=24     also the long tests, and on other Nodes
 * deno task test:all --retry                 failed files again, with nothing beside them
 * deno task test bun tests/in_memory         a folder or file, on Bun
 * deno task test --times                     also the processor time of each portion
 * ```
 *
 * Uses the Node on the PATH, and the Bun on the PATH or else from npm. If JSR
 * is unreachable, `@std` comes from npm, too. The last line counts what passed
 * and failed; failures are repeated above it.
 */
import { capture, DENO, exitWith, filesUnder, run } from "./lib/command.ts";
import {
  countCases,
  type Counts,
  type Failure,
  failuresOf,
  inWords,
  sum,
} from "./lib/junit.ts";
import { jsrAnswers, writeNpmOnlyMap } from "./lib/npm_only.ts";
import { readSeconds, timed } from "./lib/processor_time.ts";
import { bun, deno, node, type Runtime } from "./lib/runtimes.ts";
import {
  filesFor,
  type Portion,
  portionsOf,
  type Scope,
  type Target,
} from "./lib/test_plan.ts";

const RUNTIMES: Record<string, () => Promise<Runtime>> = { deno, node, bun };
/** The number of lines of a failure that are repeated at the end. */
const MAX_FAILURE_LINES = 10;
/** Tests mostly wait for timers and other processes. */
const LANES = Math.max(2, navigator.hardwareConcurrency) + 1;

/** How often a portion that failed is repeated. */
const MAX_RETRIES = 2;

const ROLES = ["first", "second"] as const;

/** A runtime, and its role. */
interface Choice {
  readonly start: () => Promise<Runtime>;
  readonly role: Target["role"];
}

interface Arguments {
  readonly choices: readonly Choice[];
  readonly paths: readonly string[];
  readonly scope: Scope;
  /** Whether to run portions that failed again, one after another. */
  readonly retries: boolean;
  /** Whether to measure how much processor time each portion uses. */
  readonly times: boolean;
}

/** A portion of the tests on one runtime. */
interface Job extends Portion {
  readonly runtime: Runtime;
}

interface Result {
  readonly counts: Counts;
  readonly failures: readonly Failure[];
  readonly seconds: number;
  /** The processor time, if it was measured. */
  readonly processorSeconds: number | undefined;
}

/** How to run a job. */
interface JobOptions {
  /** The path of the JUnit report. */
  readonly report: string;
  readonly importMap: string | undefined;
  readonly times: boolean;
}

function parse(args: readonly string[]): Arguments {
  const runtimes: Choice["start"][] = [];
  const releases: Choice["start"][] = [];
  const paths: string[] = [];
  let isAll = false;
  let retries = false;
  let times = false;
  for (const arg of args) {
    const release = /^--node=(.+)$/.exec(arg)?.[1];
    if (release) releases.push(() => node(release));
    else if (RUNTIMES[arg]) runtimes.push(RUNTIMES[arg]);
    else if (arg === "--all") isAll = true;
    else if (arg === "--retry") retries = true;
    else if (arg === "--times") times = true;
    else if (arg.startsWith("tests")) paths.push(arg.replaceAll("\\", "/"));
    else {
      throw new Error(
        `Unknown argument "${arg}". Use "deno", "node", "bun", "--node=<release>", "--all", "--retry", "--times" or a path under "tests".`,
      );
    }
  }
  const chosen = runtimes.length > 0 ? runtimes : Object.values(RUNTIMES);
  return {
    choices: [
      ...chosen.map((start, index): Choice => ({
        start,
        role: ROLES[index] ?? "third",
      })),
      ...releases.map((start): Choice => ({ start, role: "release" })),
    ],
    paths,
    scope: paths.length > 0 ? "given" : isAll ? "all" : "quick",
    retries,
    times,
  };
}

/** Runs one portion, and prints its output when it has ended. */
async function runJob(
  { runtime, files }: Job,
  { report, importMap, times }: JobOptions,
): Promise<Result> {
  const startedAt = performance.now();
  const measured = `${report}.times`;
  const { code, stdout, stderr } = await capture(
    times ? timed(runtime.program, measured) : runtime.program,
    runtime.args({ files, report, importMap }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const processorSeconds = times ? await readSeconds(measured) : undefined;
  console.log(
    `\n=== ${runtime.name} (${seconds.toFixed(0)} s): ${
      files.join(" ")
    }\n\n${stdout}${stderr}`,
  );
  const xml = await Deno.readTextFile(report).catch(() => "");
  const counts = countCases(xml);
  const failures = failuresOf(xml);
  if (counts.failed === 0) {
    // A file that does not load is not in the report.
    const name = code !== 0
      ? `${files.join(" ")} ended with exit code ${code}.`
      : counts.passed + counts.skipped === 0
      ? `${files.join(" ")} ran no test.`
      : undefined;
    if (name !== undefined) {
      counts.failed = 1;
      failures.push({ name, text: "" });
    }
  }
  return { counts, failures, seconds, processorSeconds };
}

/** Runs several jobs at once, and then those that measure alone. */
async function runJobs(
  jobs: readonly Job[],
  run: (job: Job, index: number) => Promise<Result>,
): Promise<Map<Job, Result>> {
  const results = new Map<Job, Result>();
  const runLane = async (queue: Job[]) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      results.set(job, await run(job, jobs.indexOf(job)));
    }
  };
  const shared = jobs.filter(({ isAlone }) => !isAlone);
  await Promise.all(Array.from({ length: LANES }, () => runLane(shared)));
  await runLane(jobs.filter(({ isAlone }) => isAlone));
  return results;
}

/**
 * Runs the jobs that failed again, at most twice, with nothing beside them. Returns what
 * failed only beside others: these tests, or what they test, depend on time.
 */
async function retryFailed(
  results: Map<Job, Result>,
  run: (job: Job, index: number) => Promise<Result>,
): Promise<Map<Job, readonly Failure[]>> {
  const unstable = new Map<Job, readonly Failure[]>();
  const failed = [...results].filter(([, { failures }]) => failures.length > 0);
  for (const [index, [job, { failures }]] of failed.entries()) {
    let result: Result;
    let attempt = 0;
    do {
      result = await run(job, index * MAX_RETRIES + attempt++);
    } while (result.failures.length > 0 && attempt < MAX_RETRIES);
    results.set(job, result);
    if (result.failures.length === 0) unstable.set(job, failures);
  }
  return unstable;
}

/** Repeats failures at the end of the output, where they are found. */
function printFailures(
  verdict: string,
  runtime: Runtime,
  failures: readonly Failure[],
): void {
  for (const { name, text } of failures) {
    console.log(`\n${verdict} on ${runtime.name}: ${name}`);
    const lines = text.split("\n");
    if (lines.length > MAX_FAILURE_LINES) {
      lines.splice(MAX_FAILURE_LINES, Infinity, "…");
    }
    for (const line of lines) if (line.trim()) console.log(`    ${line}`);
  }
}

/** Prints how much processor time each portion used, the most first. */
function printTimes(results: ReadonlyMap<Job, Result>): void {
  const sorted = [...results].map(([{ runtime, files }, result]) => ({
    seconds: result.processorSeconds ?? 0,
    portion: `${runtime.name}: ${files.join(" ")}`,
  })).sort((a, b) => b.seconds - a.seconds);
  console.log("\nProcessor seconds:");
  for (const { seconds, portion } of sorted) {
    console.log(`${seconds.toFixed(1).padStart(8)}  ${portion}`);
  }
  const total = sorted.reduce((sum, { seconds }) => sum + seconds, 0);
  console.log(`${total.toFixed(1).padStart(8)}  in total`);
}

/** Creates the jobs of all runtimes, the slowest of each first. */
async function plan(
  { choices, paths, scope }: Arguments,
): Promise<Map<Runtime, Job[]>> {
  const files = (await filesUnder("tests", "_test.ts")).filter((file) =>
    paths.length === 0 || paths.some((path) => file.startsWith(path))
  );
  const jobs = new Map<Runtime, Job[]>();
  for (const { start, role } of choices) {
    const runtime = await start();
    const own = filesFor({ isDeno: runtime.isDeno, role }, files, scope);
    jobs.set(
      runtime,
      portionsOf(own).map((portion) => ({ runtime, ...portion })),
    );
  }
  return jobs;
}

async function main(): Promise<number> {
  const args = parse(Deno.args);
  const startedAt = performance.now();
  const folder = await Deno.makeTempDir({ prefix: "session-manager-tests-" });
  try {
    const npmOnly = await writeNpmOnlyMap(folder);
    let importMap: string | undefined;
    if (!await jsrAnswers()) {
      importMap = npmOnly;
      console.log(
        "jsr.io is unreachable: the tests use npm's copies of @std.",
      );
    }
    // Fills node_modules for Node and Bun; `deno install` would need JSR.
    const code = await run(DENO, [
      "cache",
      "--quiet",
      `--import-map=${npmOnly}`,
      "tests/npm_std/assert.ts",
    ]);
    if (code !== 0) throw new Error("The npm packages could not be installed.");

    // Random schedules that fail are repeated with the same seed.
    const seed = Math.floor(Math.random() * 2 ** 31);
    Deno.env.set("CHAOS_SEED", Deno.env.get("CHAOS_SEED") ?? `${seed}`);
    const options = (name: number | string): JobOptions => ({
      report: `${folder}/${name}.xml`,
      importMap,
      times: args.times,
    });
    const jobs = await plan(args);
    const results = await runJobs(
      // The first runtime has the most to do. The others fill the gaps.
      [...jobs.values()].flat(),
      (job, index) => runJob(job, options(index)),
    );
    const unstable = args.retries
      ? await retryFailed(
        results,
        (job, index) => runJob(job, options(`again-${index}`)),
      )
      : new Map<Job, readonly Failure[]>();
    for (const [{ runtime }, failures] of unstable) {
      printFailures("UNSTABLE, passed when repeated,", runtime, failures);
    }
    if (args.times) printTimes(results);
    const summary: string[] = [];
    const all: Counts[] = [];
    for (const [runtime, own] of jobs) {
      const ended = own.map((job) => results.get(job)!);
      printFailures(
        "FAILED",
        runtime,
        ended.flatMap(({ failures }) => failures),
      );
      const counts = sum(ended.map(({ counts }) => counts));
      all.push(counts);
      const seconds = ended.reduce((sum, { seconds }) => sum + seconds, 0);
      summary.push(
        `${runtime.name.padEnd(16)}${inWords(counts)} (${
          seconds.toFixed(0)
        } s)`,
      );
    }
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.log(
      `\n${summary.join("\n")}\nTook ${seconds} s, ${LANES} processes at once.`,
    );
    // The summary lists skipped tests by runtime; the last line has two numbers
    // only.
    const total = sum(all);
    console.log(inWords({ ...total, skipped: 0 }));
    return total.failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await exitWith(main);
