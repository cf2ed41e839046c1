import { hasNats } from "../../nats/support/nats_server.ts";
import { hasPostgres } from "../../postgres/support/postgres_server.ts";
import { hasRedis } from "../../redis/support/redis_server.ts";
import {
  startCluster,
  startSentinel,
} from "../../redis/support/replicated_servers.ts";
import { runSchedule } from "../run.ts";
import { describeSchedule, scheduleOf } from "../schedule.ts";
import { NatsStore } from "./nats_store.ts";
import { PostgresStore } from "./postgres_store.ts";
import { RedisStore } from "./redis_store.ts";
import { ReplicatedStore } from "./replicated_store.ts";
import type { Store, StoreName } from "./store.ts";

/** How to start a store. */
interface StoreKind {
  /** Whether its server is installed. */
  readonly isInstalled: boolean;
  readonly start: () => Promise<Store>;
}

/** All stores. */
export const STORES: Readonly<Record<StoreName, StoreKind>> = {
  redis: { isInstalled: hasRedis, start: () => RedisStore.start() },
  sentinel: {
    isInstalled: hasRedis,
    start: async () => new ReplicatedStore("sentinel", await startSentinel()),
  },
  cluster: {
    isInstalled: hasRedis,
    start: async () => new ReplicatedStore("cluster", await startCluster()),
  },
  nats: { isInstalled: hasNats, start: () => NatsStore.start() },
  postgres: { isInstalled: hasPostgres, start: () => PostgresStore.start() },
};

/** What came of a schedule. */
export interface SeedOutcome {
  readonly summary: string;
  /** What was wrong, and how to repeat it; undefined if it passed. */
  readonly problem: string | undefined;
}

/** Runs the schedule of a seed over a store of its own. */
export async function runSeed(
  name: StoreName,
  seed: number,
  rounds: number,
): Promise<SeedOutcome> {
  await using store = await STORES[name].start();
  const schedule = scheduleOf(seed, store.faults, rounds);
  const outcome = await runSchedule(schedule, store);
  const { violations, sent, received, resets, killed } = outcome;
  const summary =
    `${sent} sent, ${received} received, ${resets} resets, ${killed} killed`;
  if (violations.length === 0) {
    return { summary: `passed, ${summary}`, problem: undefined };
  }
  return {
    summary: `failed, ${summary}`,
    problem: [
      describeSchedule(schedule),
      "What happened:",
      outcome.history,
      "What is wrong:",
      ...violations,
      `Repeat it: deno task chaos --store=${name} --seed=${seed} --rounds=${rounds}`,
    ].join("\n"),
  };
}
