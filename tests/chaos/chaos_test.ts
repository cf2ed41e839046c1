import { describe, it } from "node:test";
import { runSeed, type StoreName, STORES } from "./stores/all.ts";

/** Short: `deno task chaos` runs for hours. */
const ROUNDS = 1;
const SEEDS: Readonly<Record<StoreName, readonly number[]>> = {
  redis: [1, 2],
  sentinel: [1],
  cluster: [1],
  nats: [1],
  postgres: [1],
};

describe("Random schedules over real servers that fail", () => {
  for (const [name, seeds] of Object.entries(SEEDS)) {
    const { isInstalled } = STORES[name as StoreName];
    for (const seed of [...seeds, Math.floor(Math.random() * 2 ** 31)]) {
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
