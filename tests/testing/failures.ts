import type { SuiteOptions } from "@crossmcp/session-manager/testing";

/**
 * Runs a suite without reporting its tests, and answers the numbers of the
 * behaviours that failed, each once, in their order.
 */
export async function failures<Manager, Limits, Behaviour extends string>(
  suite: (options: SuiteOptions<Manager, Limits, Behaviour>) => void,
  create: SuiteOptions<Manager, Limits, Behaviour>["create"],
  timeoutMs = 2_000,
): Promise<string[]> {
  const tests: [name: string, run: () => Promise<void>][] = [];
  suite({
    test: (name, run) => tests.push([name, run]),
    create,
    dispose: (manager) => (manager as { close?(): unknown }).close?.(),
    timeoutMs,
  });
  if (tests.length === 0) throw new Error("The suite registered no test.");
  const failed = new Set<string>();
  for (const [name, run] of tests) {
    try {
      await run();
    } catch {
      failed.add(name.split(" ", 1)[0]!);
    }
  }
  return [...failed].sort((a, b) =>
    a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1
  );
}

/**
 * What fails for each of many managers, by their names.
 *
 * @param atOnce How many are tested at once: those that wait for most of the time
 * do not get in each other's way.
 */
export async function failuresOfEach<Manager>(
  managers: Readonly<Record<string, Manager>>,
  failuresOf: (manager: Manager) => Promise<string[]>,
  atOnce = 8,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const left = Object.entries(managers);
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      found[next[0]] = (await failuresOf(next[1])).join(" ");
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}
