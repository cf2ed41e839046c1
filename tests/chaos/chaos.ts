/**
 * Runs random schedules over real servers, and checks what clients get.
 *
 * ```sh
 * deno task chaos                              one after another, for an hour
 * deno task chaos --minutes=5 --store=redis    over Redis, for five minutes
 * deno task chaos --store=redis --seed=1234    one schedule again
 * ```
 */
import process from "node:process";
import { runSeed, STORES } from "./stores/all.ts";
import type { StoreName } from "./stores/store.ts";

const options = new Map(
  process.argv.slice(2).map((argument) => {
    const [, name, value] =
      /^--(minutes|seed|store|rounds)=(.+)$/.exec(argument) ??
        [];
    if (name === undefined) {
      throw new Error(
        `Unknown argument "${argument}". Use --minutes=, --seed=, --store= or --rounds=.`,
      );
    }
    return [name, value!];
  }),
);
const store = options.get("store");
if (store !== undefined && !(store in STORES)) {
  throw new Error(
    `Unknown store "${store}". Use one of: ${Object.keys(STORES).join(", ")}.`,
  );
}
const names = (store === undefined ? Object.keys(STORES) : [store])
  .filter((name) => STORES[name as StoreName].isInstalled) as StoreName[];
const seed = options.get("seed");
const rounds = Number(options.get("rounds") ?? 3);
const end = performance.now() + Number(options.get("minutes") ?? 60) * 60_000;

const passed = new Map<string, number>();
const failed: string[] = [];
for (let run = 0; run === 0 || seed === undefined; run++) {
  if (performance.now() > end) break;
  const name = names[run % names.length]!;
  const chosen = seed === undefined
    ? Math.floor(Math.random() * 2 ** 31)
    : Number(seed);
  const start = performance.now();
  const { problem, summary } = await runSeed(name, chosen, rounds);
  const seconds = Math.round((performance.now() - start) / 1_000);
  console.log(`${name} ${chosen}: ${summary}, ${seconds} s`);
  if (problem === undefined) passed.set(name, (passed.get(name) ?? 0) + 1);
  else {
    failed.push(`--store=${name} --seed=${chosen} --rounds=${rounds}`);
    console.error(problem);
  }
}
const counts = [...passed].map(([name, count]) => `${name} ${count}`);
console.log(`Passed: ${counts.join(", ") || "none"}.`);
if (failed.length > 0) {
  console.error(`Failed:\n${failed.join("\n")}`);
  process.exit(1);
}
process.exit();
