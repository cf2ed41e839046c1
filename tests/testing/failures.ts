import type { SuiteOptions } from "@crossmcp/session-manager/testing";

/**
 * Runs a suite without reporting its tests, and answers the numbers of the
 * behaviours that failed, each once, in order of their first failure.
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
  return [...failed].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
}
