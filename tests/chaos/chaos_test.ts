import process from "node:process";
import { describe, it } from "node:test";
import { runSeed, STORES } from "./stores/all.ts";
import type { StoreName } from "./stores/store.ts";

/** Short: `deno task chaos` runs for hours, with other seeds. */
const ROUNDS = 1;
/** Another one in each run. If it fails, its message says how to repeat it. */
const RANDOM_SEED = Number(
  process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31),
);
const SEEDS: Readonly<Record<StoreName, readonly number[]>> = {
  redis: [1, 6, RANDOM_SEED],
  sentinel: [1],
  cluster: [1],
  nats: [2],
  postgres: [2],
};

describe("Random schedules over real servers that fail", () => {
  for (const [name, seeds] of Object.entries(SEEDS)) {
    const { isInstalled } = STORES[name as StoreName];
    for (const seed of seeds) {
      const title = `R1 R6 over ${name}, seed ${seed}`;
      if (!isInstalled) {
        it.skip(`${title}: needs its server`, () => {});
        continue;
      }
      it(title, async () => {
        const { problem } = await runSeed(name as StoreName, seed, ROUNDS);
        if (problem !== undefined) throw new Error(problem);
      });
    }
  }
});
