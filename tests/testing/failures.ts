import type { SuiteOptions } from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";

/** How often it is tried again what was found of a manager. */
const TRIES = 3;

/** How fast suites run: in a hurry with all managers, in peace with a doubtful one. */
export type Pace = "hurried" | "calm";

/** How many times as long a calm suite waits for what does not come. */
const CALM = 4;

/**
 * Runs a suite without reporting its tests, and answers the numbers of the
 * behaviours that failed, each once, in their order.
 *
 * @param timeoutMs How long to wait for what does not come, in a hurry.
 * @param atOnce How many tests run at once in a hurry: most of them wait for most
 * of the time.
 */
export async function failures<Manager, Limits, Behaviour extends string>(
  suite: (options: SuiteOptions<Manager, Limits, Behaviour>) => void,
  create: SuiteOptions<Manager, Limits, Behaviour>["create"],
  timeoutMs = 2_000,
  atOnce = 1,
  pace: Pace = "hurried",
): Promise<string[]> {
  const isCalm = pace === "calm";
  const tests: [name: string, run: () => Promise<void>][] = [];
  suite({
    test: (name, run) => tests.push([name, run]),
    create,
    dispose: (manager) => (manager as { close?(): unknown }).close?.(),
    timeoutMs: isCalm ? timeoutMs * CALM : timeoutMs,
  });
  if (tests.length === 0) throw new Error("The suite registered no test.");
  const failed = new Set<string>();
  await forEach(tests, isCalm ? 1 : atOnce, async ([name, run]) => {
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

/** Finds what fails for a manager. */
export type FailuresOf<Manager> = (
  manager: Manager,
  pace: Pace,
) => Promise<string[]>;

/**
 * What fails for each of many managers, by their names.
 *
 * @param atOnce How many are tested at once: those that wait for most of the time
 * do not get in each other's way.
 */
export async function failuresOfEach<Manager>(
  managers: Readonly<Record<string, Manager>>,
  failuresOf: FailuresOf<Manager>,
  atOnce = 8,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await forEach(Object.entries(managers), atOnce, async ([name, manager]) => {
    found[name] = (await failuresOf(manager, "hurried")).join(" ");
  });
  return found;
}

/**
 * Fails unless what fails for each of many managers is as expected.
 *
 * A busy machine hides faults that show only in time, and makes what is sound late.
 * So where something else is found, it is looked for again, in peace: what is
 * expected has to fail once, and nothing else may fail each time.
 *
 * @param expected As `failuresOfEach` answers it.
 * @param atOnce How many are tested at once the first time.
 */
export async function assertFailures<Manager>(
  managers: Readonly<Record<string, Manager>>,
  failuresOf: FailuresOf<Manager>,
  expected: Readonly<Record<string, string>>,
  atOnce = 8,
): Promise<void> {
  const found = await failuresOfEach(managers, failuresOf, atOnce);
  assertEquals(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [name, first] of Object.entries(found)) {
    const due = numbers(expected[name]!);
    const others = new Set(numbers(first).filter((it) => !due.includes(it)));
    const missing = new Set(due.filter((it) => !numbers(first).includes(it)));
    for (let tries = TRIES; tries > 0; tries--) {
      if (others.size + missing.size === 0) break;
      const again = await failuresOf(managers[name]!, "calm");
      for (const it of again) missing.delete(it);
      for (const it of others) if (!again.includes(it)) others.delete(it);
    }
    const failed = due.filter((it) => !missing.has(it));
    found[name] = [...failed, ...others].join(" ");
  }
  const of = (all: Readonly<Record<string, string>>) =>
    Object.keys(found).filter((name) => found[name] !== expected[name])
      .map((name) => `${name}: ${all[name]}`);
  assertEquals(of(found), of(expected));
}

function numbers(failures: string): string[] {
  return failures.split(" ").filter((number) => number !== "");
}

/** Does something with each of many, so many at once. */
async function forEach<Item>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await act(next);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
