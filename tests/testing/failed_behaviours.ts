import type { SuiteOptions } from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";

/** How many times an unexpected result is checked again. */
const RETRIES = 3;

/**
 * How a suite runs: "fast" runs tests concurrently; "slow" runs one at a time,
 * with longer timeouts.
 */
export type Pace = "fast" | "slow";

/** The factor by which a slow run multiplies timeouts. */
const SLOW_FACTOR = 4;

/**
 * Runs a suite without reporting its tests, and returns the numbers of the
 * behaviours that failed, sorted and without duplicates.
 *
 * @param timeoutMs How long a test waits for an event, in a fast run.
 * @param concurrency How many tests run concurrently in a fast run. Most tests
 * spend their time waiting.
 */
export async function failedBehaviours<
  Manager,
  Limits,
  Behaviour extends string,
>(
  suite: (options: SuiteOptions<Manager, Limits, Behaviour>) => void,
  create: SuiteOptions<Manager, Limits, Behaviour>["create"],
  timeoutMs = 2_000,
  concurrency = 1,
  pace: Pace = "fast",
): Promise<string[]> {
  const isSlow = pace === "slow";
  const tests: [name: string, run: () => Promise<void>][] = [];
  suite({
    test: (name, run) => tests.push([name, run]),
    create,
    dispose: (manager) => (manager as { close?(): unknown }).close?.(),
    timeoutMs: isSlow ? timeoutMs * SLOW_FACTOR : timeoutMs,
  });
  if (tests.length === 0) throw new Error("The suite registered no test.");
  const failed = new Set<string>();
  await forEach(tests, isSlow ? 1 : concurrency, async ([name, run]) => {
    try {
      await run();
    } catch {
      failed.add(name.split(" ", 1)[0]!);
    }
  });
  return [...failed].sort((a, b) =>
    a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1
  );
}

/** Returns the behaviours that fail for a manager. */
export type FailedBehavioursOf<Manager> = (
  manager: Manager,
  pace: Pace,
) => Promise<string[]>;

/**
 * Expects that exactly the given behaviours fail for each manager.
 *
 * On a busy machine, a fault in timing may stay hidden, and a correct manager may
 * be late. So an unexpected result is checked again with slow runs: an expected
 * failure must occur in at least one run, and any other failure is reported only
 * if it occurs in every run.
 *
 * @param expected The numbers of the behaviours that fail, separated by spaces,
 * by the name of the manager.
 * @param concurrency How many managers are tested concurrently in the fast run.
 */
export async function assertFailures<Manager>(
  managers: Readonly<Record<string, Manager>>,
  failedBehavioursOf: FailedBehavioursOf<Manager>,
  expected: Readonly<Record<string, string>>,
  concurrency = 8,
): Promise<void> {
  const found: Record<string, string> = {};
  await forEach(
    Object.entries(managers),
    concurrency,
    async ([name, manager]) => {
      found[name] = (await failedBehavioursOf(manager, "fast")).join(" ");
    },
  );
  assertEquals(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [name, first] of Object.entries(found)) {
    const due = numbers(expected[name]!);
    const others = new Set(numbers(first).filter((it) => !due.includes(it)));
    const missing = new Set(due.filter((it) => !numbers(first).includes(it)));
    for (let retries = RETRIES; retries > 0; retries--) {
      if (others.size + missing.size === 0) break;
      const again = await failedBehavioursOf(managers[name]!, "slow");
      for (const it of again) missing.delete(it);
      for (const it of others) if (!again.includes(it)) others.delete(it);
    }
    const failed = due.filter((it) => !missing.has(it));
    found[name] = [...failed, ...others].join(" ");
  }
  // Only the managers that differ, so that the diff is short.
  const differing = (all: Readonly<Record<string, string>>) =>
    Object.keys(found).filter((name) => found[name] !== expected[name])
      .map((name) => `${name}: ${all[name]}`);
  assertEquals(differing(found), differing(expected));
}

function numbers(failed: string): string[] {
  return failed.split(" ").filter((number) => number !== "");
}

/** Calls a function for each item, with limited concurrency. */
async function forEach<Item>(
  items: readonly Item[],
  concurrency: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await act(next);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
