import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { filesFor, portionsOf } from "../../scripts/lib/test_plan.ts";

const FILES = [
  "tests/cluster/rpc_test.ts",
  "tests/deno/leaks_test.ts",
  "tests/e2e/listen_test.ts",
  "tests/e2e/workers_killed_test.ts",
  "tests/memory/churn_test.ts",
  "tests/memory/stalled_test.ts",
  "tests/redis/acl_test.ts",
  "tests/redis/sessions_test.ts",
  "tests/streams/backlog_test.ts",
  "tests/testing/faults_test.ts",
];
const DENO = { isDeno: true, role: "first" } as const;
const NODE = { isDeno: false, role: "second" } as const;
const BUN = { isDeno: false, role: "third" } as const;
const NODE_24 = { isDeno: false, role: "release" } as const;

describe("filesFor", () => {
  it("leaves out long tests unless all are requested", () => {
    assertEquals(filesFor(DENO, FILES, "quick"), [
      "tests/cluster/rpc_test.ts",
      "tests/deno/leaks_test.ts",
      "tests/e2e/listen_test.ts",
      "tests/redis/sessions_test.ts",
      "tests/streams/backlog_test.ts",
    ]);
    assertEquals(filesFor(DENO, FILES, "all"), FILES);
  });

  it("runs on other runtimes what depends on their APIs", () => {
    const onAll = ["tests/e2e/listen_test.ts", "tests/streams/backlog_test.ts"];
    for (const target of [NODE, BUN]) {
      assertEquals(filesFor(target, FILES, "quick"), onAll);
    }
    assertEquals(filesFor(NODE_24, FILES, "all"), onAll);
  });

  it("runs all tests on several runtimes, except those that do not depend on it", () => {
    assertEquals(filesFor(NODE, FILES, "all"), [
      "tests/e2e/listen_test.ts",
      "tests/e2e/workers_killed_test.ts",
      "tests/redis/sessions_test.ts",
      "tests/streams/backlog_test.ts",
    ]);
    assertEquals(filesFor(BUN, FILES, "all"), [
      "tests/e2e/listen_test.ts",
      "tests/memory/churn_test.ts",
      "tests/memory/stalled_test.ts",
      "tests/redis/sessions_test.ts",
      "tests/streams/backlog_test.ts",
    ]);
  });

  it("names no file that does not exist", async () => {
    const source = await Deno.readTextFile("scripts/lib/test_plan.ts");
    for (const [, path] of source.matchAll(/"(tests\/[^"]+)"/g)) {
      await Deno.stat(path!);
    }
  });

  it("runs every requested file, except those only for Deno", () => {
    assertEquals(
      filesFor(BUN, FILES, "given"),
      FILES.filter((file) => !file.startsWith("tests/deno/")),
    );
  });
});

describe("portionsOf", () => {
  it("divides files into portions, each file once, the slowest first", () => {
    const portions = portionsOf(FILES);
    assertEquals(portions.flatMap(({ files }) => files).sort(), FILES);
    assertEquals(portions[0]!.files, ["tests/testing/faults_test.ts"]);
  });

  it("runs alone what measures time", () => {
    for (const { files, isAlone } of portionsOf(FILES)) {
      const isMeasuring = files.includes("tests/memory/stalled_test.ts");
      assertEquals(isAlone, isMeasuring);
      assert(!isMeasuring || files.length === 1);
    }
  });
});
