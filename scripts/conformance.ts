/**
 * Runs the official conformance suite against tmcp with its own managers, and
 * against tmcp with ours behind the guard, without and with replay: `deno task
 * conformance`. Fails if ours is worse at anything, and if tmcp alone fails
 * other checks than `tests/conformance/known_failures.ts` lists.
 */
import { KNOWN_FAILURES } from "../tests/conformance/known_failures.ts";
import {
  checksOf,
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

const ALONE = "tmcp";
const OTHERS = ["guarded", "replay"];

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

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({
    prefix: "session-manager-conformance-",
  });
  try {
    const importMap = await jsrAnswers()
      ? undefined
      : await writeNpmOnlyMap(folder);
    const suite = await Suite.install();
    const alone = await test(suite, ALONE, folder, importMap);
    const others: Record<string, Tested> = {};
    for (const name of OTHERS) {
      others[name] = await test(suite, name, folder, importMap);
    }

    const results = Object.fromEntries(
      Object.entries(others).map(([name, { results }]) => [name, results]),
    );
    const passed = show({ [ALONE]: alone.results, ...results });
    console.log("\nKnown failures of tmcp alone, which do not count:\n");
    for (const { check, reason, passesWith } of KNOWN_FAILURES) {
      const but = passesWith.map((name) => ` Passes with "${name}".`).join("");
      console.log(`${check}\n  ${reason}${but}`);
    }
    const found = unexpectedResults(alone.results, results, KNOWN_FAILURES);
    if (found.length > 0) {
      for (const [name, { output }] of Object.entries({ alone, ...others })) {
        console.log(`\n=== Output of the server: ${name}\n\n${output}`);
      }
    }
    for (const complaint of found) console.log(`\nFAILED: ${complaint}`);
    console.log(`\n${inWords({ passed, failed: found.length, skipped: 0 })}`);
    return found.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await exitWith(main);
