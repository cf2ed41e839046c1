/** How many test cases passed, failed and were skipped. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface TestCase {
  name: string;
  outcome: keyof Counts;
}

const TEST_CASE =
  /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/**
 * Counts the test cases of a JUnit report: each `it` once, no `describe`.
 *
 * Deno lists a `describe` beside its cases, as "outer" and "outer > inner", so a
 * name that begins other names is none. Node lists a file without tests as a
 * case named by the file, so it is none either, unless it failed to load.
 */
export function countCases(xml: string): Counts {
  const cases = [...xml.matchAll(TEST_CASE)].map(toTestCase);
  const groups = new Set(cases.flatMap(({ name }) => groupsOf(name)));
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, outcome } of cases) {
    const isFile = name.endsWith("_test.ts") && outcome !== "failed";
    if (!groups.has(name) && !isFile) counts[outcome]++;
  }
  return counts;
}

/** The sum of counts. */
export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/** "2 passed, 0 failed", and how many were skipped if any. */
export function inWords({ passed, failed, skipped }: Counts): string {
  const words = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${words}, ${skipped} skipped` : words;
}

function toTestCase([, attributes = "", content = ""]: RegExpMatchArray) {
  const name = / name="([^"]*)"/.exec(attributes)?.[1] ?? "";
  const outcome = /<(failure|error)\b/.test(content)
    ? "failed"
    : /<skipped\b/.test(content)
    ? "skipped"
    : "passed";
  return { name: name.replaceAll("&gt;", ">"), outcome } satisfies TestCase;
}

/** "a > b > c" is in the groups "a" and "a > b". */
function groupsOf(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) =>
    parts.slice(0, index + 1).join(" > ")
  );
}
