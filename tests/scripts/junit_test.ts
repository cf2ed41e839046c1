import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { countCases, inWords, sum } from "../../scripts/lib/junit.ts";

describe("countCases", () => {
  it("counts what Deno reports: steps beside their parents", () => {
    assertEquals(
      countCases(`<testsuites name="deno test" tests="6" failures="2">
        <testsuite name="./tests/a_test.ts">
          <testcase name="outer" classname="./tests/a_test.ts" time="0.038">
            <failure message="1 test step failed">1 test step failed.</failure>
          </testcase>
          <testcase name="flat" time="0.000" line="14" col="1">
          </testcase>
        </testsuite>
        <testsuite name="ext:deno_node/testing.ts">
          <testcase name="outer &gt; inner" time="0.007"></testcase>
          <testcase name="outer &gt; inner &gt; passes"></testcase>
          <testcase name="outer &gt; inner &gt; skips"><skipped/></testcase>
          <testcase name="outer &gt; fails"><failure message="1 > 2">x</failure></testcase>
        </testsuite>
      </testsuites>`),
      { passed: 2, failed: 1, skipped: 1 },
    );
  });

  it("counts what Node reports: nested suites, and files", () => {
    assertEquals(
      countCases(`<testsuites>
        <testsuite name="outer" tests="2">
          <testcase name="passes" time="0.1" classname="test"/>
          <testcase name="skips" classname="test"><skipped type="skipped" message="true"/></testcase>
        </testsuite>
        <testcase name="/home/me/tests/empty_test.ts" classname="test"/>
        <testcase name="/home/me/tests/broken_test.ts" classname="test" failure="test failed">
          <failure type="testCodeFailure" message="test failed">x</failure>
        </testcase>
      </testsuites>`),
      { passed: 1, failed: 1, skipped: 1 },
    );
  });

  it("counts what Bun reports: nested suites", () => {
    assertEquals(
      countCases(`<testsuites name="bun test" tests="2">
        <testsuite name="tests/a_test.ts">
          <testsuite name="outer">
            <testcase name="passes" classname="outer" file="tests/a_test.ts" />
            <testcase name="fails" classname="outer">
              <failure type="AssertionError" message="no">no</failure>
            </testcase>
          </testsuite>
        </testsuite>
      </testsuites>`),
      { passed: 1, failed: 1, skipped: 0 },
    );
  });

  it("finds nothing in an empty report", () => {
    assertEquals(countCases(""), { passed: 0, failed: 0, skipped: 0 });
  });
});

describe("inWords", () => {
  it("names what was skipped only if there is any", () => {
    const one = { passed: 3, failed: 0, skipped: 0 };
    assertEquals(inWords(one), "3 passed, 0 failed");
    assertEquals(
      inWords(sum([one, { passed: 1, failed: 2, skipped: 4 }])),
      "4 passed, 2 failed, 4 skipped",
    );
  });
});
