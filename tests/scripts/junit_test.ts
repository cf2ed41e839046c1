import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  countCases,
  failuresOf,
  inWords,
  sum,
} from "../../scripts/lib/junit.ts";

describe("countCases", () => {
  it("counts the report of Deno: steps beside their parents", () => {
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

  it("counts the report of Node: nested suites, and files", () => {
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

  it("counts the report of Bun: nested suites", () => {
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

describe("failuresOf", () => {
  it("names failures on Deno by their groups, and leaves out the groups", () => {
    assertEquals(
      failuresOf(`<testsuites name="deno test" tests="4" failures="3">
        <testsuite name="./tests/a_test.ts" tests="1">
          <testcase name="outer" classname="./tests/a_test.ts" time="0.038">
            <failure message="1 test step failed">1 test step failed.</failure>
          </testcase>
        </testsuite>
        <testsuite name="ext:deno_node/testing.ts" tests="3">
          <testcase name="outer &gt; inner" line="1" col="23191">
            <failure message="1 test step failed">1 test step failed.</failure>
          </testcase>
          <testcase name="outer &gt; inner &gt; passes"></testcase>
          <testcase name="outer &gt; inner &gt; says &quot;no&quot;">
            <failure message="Uncaught Error: 1 &lt; 2
">Error: 1 &lt; 2
    at file:///home/me/tests/a_test.ts:12:26</failure>
          </testcase>
        </testsuite>
      </testsuites>`),
      [{
        name: 'outer > inner > says "no"',
        text: "Error: 1 < 2\n    at file:///home/me/tests/a_test.ts:12:26",
      }],
    );
  });

  it("names failures on Node by their suites or files", () => {
    assertEquals(
      failuresOf(`<testsuites>
        <testsuite name="outer" tests="4">
          <testsuite name="in &amp; side" tests="2">
            <testcase name="passes" classname="test"/>
            <testcase name="1 > 2" classname="test" failure="It's not">
              <failure type="testCodeFailure" message="It's not">
[Error [ERR_TEST_FAILURE]: It's not] { code: 'ERR_TEST_FAILURE' }
              </failure>
            </testcase>
          </testsuite>
          <testsuite name="empty" tests="0"/>
          <testcase name="beside" classname="test">
            <failure type="testCodeFailure" message="a &lt; b"/>
          </testcase>
        </testsuite>
        <testcase name="/home/me/tests/broken_test.ts" classname="test">
          <failure type="testCodeFailure" message="test failed">
          </failure>
        </testcase>
      </testsuites>`),
      [
        {
          name: "outer > in & side > 1 > 2",
          text:
            "[Error [ERR_TEST_FAILURE]: It's not] { code: 'ERR_TEST_FAILURE' }",
        },
        { name: "outer > beside", text: "a < b" },
        { name: "/home/me/tests/broken_test.ts", text: "test failed" },
      ],
    );
  });

  it("names failures on Bun by their suites, without the file", () => {
    assertEquals(
      failuresOf(`<testsuites name="bun test" tests="3">
        <testsuite name="tests/a_test.ts" file="tests/a_test.ts">
          <testsuite name="outer">
            <testsuite name="inner">
              <testcase name="fails" classname="inner &gt; outer">
                <failure type="Error" message="no&#10;">Error: no&#10;&#x0A;      at tests/a_test.ts:5:49&#10;</failure>
              </testcase>
              <testcase name="skips" classname="inner"><skipped /></testcase>
            </testsuite>
          </testsuite>
          <testcase name="top" classname="">
            <failure type="Error" />
          </testcase>
        </testsuite>
      </testsuites>`),
      [
        {
          name: "outer > inner > fails",
          text: "Error: no\n\n      at tests/a_test.ts:5:49",
        },
        { name: "top", text: "" },
      ],
    );
  });

  it("finds nothing in an empty report", () => {
    assertEquals(failuresOf(""), []);
  });
});

describe("inWords", () => {
  it("names skipped cases only if there are any", () => {
    const one = { passed: 3, failed: 0, skipped: 0 };
    assertEquals(inWords(one), "3 passed, 0 failed");
    assertEquals(
      inWords(sum([one, { passed: 1, failed: 2, skipped: 4 }])),
      "4 passed, 2 failed, 4 skipped",
    );
  });
});
