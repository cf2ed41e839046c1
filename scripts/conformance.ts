/**
 * Runs the official conformance suite: `deno task conformance`. Against tmcp with
 * its own managers, and against tmcp with ours behind the guard, without and with
 * replay; then against a server of the official SDK alone, and behind
 * `createSdkHandler`. Name "tmcp" or "sdk" to run only these. Fails if ours is
 * worse at anything, and if a server alone fails other checks than
 * `tests/conformance/known_failures.ts` lists.
 */
import {
  KNOWN_FAILURES,
  SDK_KNOWN_FAILURES,
} from "../tests/conformance/known_failures.ts";
import {
  checksOf,
  type KnownFailure,
  type Outcome,
  outcomeOf,
  type Results,
  unexpectedResults,
} from "../tests/conformance/results.ts";
import { ServerProcess } from "../tests/conformance/server_process.ts";
import { Suite } from "../tests/conformance/suite.ts";
import { exitWith } from "./lib/command.ts";
import { inWords } from "./lib/junit.ts";
import { jsrAnswers, writeNpmOnlyMap } from "./lib/npm_only.ts";

/** A server alone, and with this package. */
interface Group {
  readonly alone: string;
  readonly others: readonly string[];
  readonly known: readonly KnownFailure[];
}

const GROUPS: readonly Group[] = [
  { alone: "tmcp", others: ["guarded", "replay"], known: KNOWN_FAILURES },
  { alone: "sdk", others: ["handled"], known: SDK_KNOWN_FAILURES },
];

const SHOWN: Record<Outcome, string> = {
  pass: "pass",
  info: "-",
  warn: "warn",
  fail: "FAIL",
};

/** The results of a server, and its output. */
interface Tested {
  readonly results: Results;
  readonly output: string;
}

async function test(
  suite: Suite,
  name: string,
  folder: string,
  importMap: string | undefined,
): Promise<Tested> {
  await using server = await ServerProcess.start(name, importMap);
  const results = await suite.test(server.url, `${folder}/${name}`);
  await server.stop();
  return { results, output: await server.output };
}

/** Prints the outcome of each check; returns the number of checks that passed. */
function show(servers: Readonly<Record<string, Results>>): number {
  const all = Object.values(servers);
  const checks = checksOf(all);
  const width = Math.max(...checks.map((check) => check.length)) + 2;
  const row = (what: string, cells: readonly string[]) =>
    console.log(
      what.padEnd(width) + cells.map((cell) => cell.padEnd(9)).join("").trim(),
    );
  row("", Object.keys(servers));
  let passed = 0;
  for (const check of checks) {
    const outcomes = all.map((results) => outcomeOf(results, check));
    row(check, outcomes.map((outcome) => SHOWN[outcome]));
    passed += outcomes.filter((outcome) => outcome === "pass").length;
  }
  return passed;
}

/** Tests a group of servers, and prints the results. */
async function compare(
  suite: Suite,
  { alone: name, others: names, known }: Group,
  folder: string,
  importMap: string | undefined,
): Promise<{ passed: number; failed: number }> {
  const alone = await test(suite, name, folder, importMap);
  const others: Record<string, Tested> = {};
  for (const other of names) {
    others[other] = await test(suite, other, folder, importMap);
  }
  const results = Object.fromEntries(
    Object.entries(others).map(([other, { results }]) => [other, results]),
  );
  const passed = show({ [name]: alone.results, ...results });
  console.log(`\nKnown failures of ${name} alone, which do not count:\n`);
  for (const { check, reason, passesWith } of known) {
    const but = passesWith.map((other) => ` Passes with "${other}".`).join("");
    console.log(`${check}\n  ${reason}${but}`);
  }
  const found = unexpectedResults(alone.results, results, known, name);
  if (found.length > 0) {
    for (const [other, { output }] of Object.entries({ alone, ...others })) {
      console.log(`\n=== Output of the server: ${other}\n\n${output}`);
    }
  }
  for (const complaint of found) console.log(`\nFAILED: ${complaint}`);
  console.log();
  return { passed, failed: found.length };
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({
    prefix: "session-manager-conformance-",
  });
  try {
    const importMap = await jsrAnswers()
      ? undefined
      : await writeNpmOnlyMap(folder);
    const suite = await Suite.install();
    let passed = 0;
    let failed = 0;
    for (const group of GROUPS) {
      const isWanted = Deno.args.length === 0 ||
        Deno.args.includes(group.alone);
      if (!isWanted) continue;
      const compared = await compare(suite, group, folder, importMap);
      passed += compared.passed;
      failed += compared.failed;
    }
    console.log(`\n${inWords({ passed, failed, skipped: 0 })}`);
    return failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await exitWith(main);
