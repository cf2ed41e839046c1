/** The numbers of test cases that passed, failed and were skipped. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A test case that failed. */
export interface Failure {
  /** Its name with those of its suites: "outer > inner > fails". */
  name: string;
  /** The message in the report; may be empty. */
  text: string;
}

interface TestCase {
  name: string;
  outcome: keyof Counts;
  /** The names of the suites around it. */
  suites: readonly string[];
  text: string;
}

const ATTRIBUTES = String.raw`((?:\s+[\w:-]+="[^"]*")*)\s*`;
/** The start of a suite, the end of a suite, or a whole case. */
const ELEMENT = new RegExp(
  `<testsuite${ATTRIBUTES}(/?)>|(</testsuite>)|` +
    String.raw`<testcase${ATTRIBUTES}(?:/>|>([\s\S]*?)</testcase>)`,
  "g",
);
/** The message of a failure, as an attribute and as text. */
const FAILURE = new RegExp(
  `<(?:failure|error)${ATTRIBUTES}` +
    String.raw`(?:/>|>([\s\S]*?)</(?:failure|error)>)`,
);
const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/**
 * Counts the test cases of a JUnit report: each `it` once, no `describe`.
 *
 * Deno lists a `describe` beside its cases, as "outer" and "outer > inner", so
 * a name that begins other names is not a case. Node lists a file without tests
 * as a case with the name of the file, which only counts if the file failed to
 * load.
 */
export function countCases(xml: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of casesOf(xml)) counts[outcome]++;
  return counts;
}

/** Returns the failed test cases of a JUnit report, selected as in `countCases`. */
export function failuresOf(xml: string): Failure[] {
  return casesOf(xml)
    .filter(({ outcome }) => outcome === "failed")
    .map(({ suites, name, text }) => ({
      name: [...suites, name].join(" > "),
      text,
    }));
}

/** Adds up counts. */
export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/**
 * Formats counts: "2 passed, 0 failed", and the number of skipped cases if
 * there are any.
 */
export function inWords({ passed, failed, skipped }: Counts): string {
  const words = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${words}, ${skipped} skipped` : words;
}

function casesOf(xml: string): TestCase[] {
  const cases = allCasesOf(xml);
  const groups = new Set(cases.flatMap(({ name }) => groupsOf(name)));
  return cases.filter(({ name, outcome }) => {
    const isFile = name.endsWith("_test.ts") && outcome !== "failed";
    return !groups.has(name) && !isFile;
  });
}

function allCasesOf(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const open: string[] = [];
  for (const match of xml.matchAll(ELEMENT)) {
    const [, suite, isEmpty, end, attributes, content = ""] = match;
    if (end) open.pop();
    else if (suite === undefined) {
      cases.push({
        name: attribute(attributes!, "name"),
        // Bun and Deno have a suite for each file; some of Deno's have internal
        // names.
        suites: open.filter((name) => !name.endsWith(".ts")),
        ...outcomeOf(content),
      });
    } else if (!isEmpty) open.push(attribute(suite, "name"));
  }
  return cases;
}

function outcomeOf(content: string): Pick<TestCase, "outcome" | "text"> {
  const failure = FAILURE.exec(content);
  if (failure === null) {
    const outcome = /<skipped\b/.test(content) ? "skipped" : "passed";
    return { outcome, text: "" };
  }
  const [, attributes = "", words = ""] = failure;
  const text = unescaped(words).trim() || attribute(attributes, "message");
  return { outcome: "failed", text };
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return unescaped(value);
}

function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (all, decimal, hexadecimal, name) => {
      if (name) return ENTITIES[name] ?? all;
      return String.fromCodePoint(
        decimal ? Number(decimal) : parseInt(hexadecimal, 16),
      );
    },
  );
}

/** "a > b > c" is in the groups "a" and "a > b". */
function groupsOf(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) =>
    parts.slice(0, index + 1).join(" > ")
  );
}
