/**
 * Measures again and compares with the latest record of the same runtime: `deno
 * task bench:compare`, on Deno or on the runtimes named. `--short` measures
 * less and compares no milliseconds. `--last` measures nothing and compares the
 * last two records. Exits with 1 if a figure is worse by more than
 * `--threshold` (a factor, 1.3 by default), by more than the noise, and in a
 * second measurement too.
 */
import { bundle, findRuntimes, selectRuntimes } from "../runtimes.ts";
import { parseArgs } from "node:util";
import type { Program } from "../../scripts/lib/command.ts";
import { type Change, compareFigures, confirm } from "./comparison.ts";
import { isSameMachine, latest } from "./baseline.ts";
import { describeRun, type Entry, readHistory } from "./history.ts";
import { measure, type SuiteFindings } from "./measure.ts";
import { printChanges } from "./print.ts";
import { versionOf } from "./version.ts";

const runtimes = await findRuntimes();
const isNamed = Deno.args.some((arg) => runtimes.has(arg));
const { names, flags } = selectRuntimes(
  isNamed ? Deno.args : ["deno", ...Deno.args],
  runtimes,
);
const { values } = parseArgs({
  args: flags,
  options: {
    short: { type: "boolean", default: false },
    last: { type: "boolean", default: false },
    threshold: { type: "string", default: "1.3" },
  },
});
const threshold = Number(values.threshold);
if (!(threshold > 1)) throw new Error("--threshold must be above 1.");
const history = await readHistory();
const { machine } = await describeRun();

/** Measures, and measures apparent regressions a second time. */
async function compareNow(
  program: Program,
  bundled: string,
  before: Entry,
): Promise<Change[]> {
  // Other work in CI would look like a slow import.
  const isSame = !values.short && isSameMachine(before.machine, machine);
  const compared = (found: readonly SuiteFindings[]) =>
    compareFigures(
      before.figures,
      found.flatMap(({ figures }) => figures),
      threshold,
      isSame,
    );
  const effort = { isShort: values.short };
  const first = await measure(program, bundled, effort);
  const changes = compared(first);
  const doubtful = new Set(
    changes.filter(({ verdict }) => verdict === "regression")
      .map(({ now }) => now.id),
  );
  const suites = first
    .filter(({ figures }) => figures.some(({ id }) => doubtful.has(id)))
    .map(({ suite }) => suite);
  if (suites.length === 0) return changes;
  console.log(`Measured a second time: ${suites.join(", ")}.\n`);
  const second = await measure(program, bundled, { ...effort, suites });
  return confirm(changes, compared(second));
}

async function compareRuntime(name: string, folder: string): Promise<boolean> {
  const runtime = await versionOf(name, runtimes.get(name)!);
  const own = history.filter((entry) => entry.runtime.name === runtime.name);
  const now = values.last ? own.at(-1) : undefined;
  const before = values.last && now !== undefined
    ? latest(own.slice(0, -1), name, now.machine)
    : latest(own, name, machine);
  if (before === undefined) {
    console.log(
      `${runtime.name}: there is no record to compare with. ` +
        "Run `deno task bench:record` first.",
    );
    return false;
  }
  const { figures, date, commit, version } = before;
  const isSame = isSameMachine(before.machine, now?.machine ?? machine);
  console.log(
    `${runtime.name} ${
      now?.runtime.version ?? runtime.version
    }, compared with ` +
      `${before.runtime.version} on ${date.slice(0, 10)} ` +
      `(${version}, commit ${commit})` +
      (isSame
        ? ""
        : ` on another machine (${before.machine.cpu}, ${before.machine.cores} ` +
          "cores): ratios still hold, milliseconds are not compared") +
      "\n",
  );
  const changes = now === undefined
    ? await compareNow(
      runtimes.get(name)!,
      await bundle("bench/tracking/program.ts", folder),
      before,
    )
    : compareFigures(figures, now.figures, threshold, isSame);
  printChanges(changes);
  const regressions = changes.filter(({ verdict }) => verdict === "regression");
  console.log(
    `\n${regressions.length} regressions of more than ${threshold} times.\n`,
  );
  return regressions.length === 0;
}

const folder = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  for (const name of names) {
    if (!await compareRuntime(name, folder)) Deno.exitCode = 1;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
