import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  addChecks,
  checksOf,
  type KnownFailure,
  type Outcome,
  type Results,
  unexpectedResults,
} from "./results.ts";

describe("The results of the conformance suite", () => {
  it("identify a check by its scenario, and keep the worse of two outcomes", () => {
    const results = new Map<string, Outcome>();
    addChecks(results, "ping", [{ id: "ping", status: "SUCCESS" }]);
    addChecks(results, "polling", [
      { id: "id", status: "SUCCESS" },
      { id: "id", status: "WARNING" },
      { id: "id", status: "INFO" },
      { id: "remark", status: "INFO" },
      { id: "odd", status: "a new word" },
    ]);
    assertEquals([...results], [
      ["ping", "pass"],
      ["polling: id", "warn"],
      ["polling: remark", "info"],
      ["polling: odd", "fail"],
    ]);
    assertEquals(checksOf([results]), ["ping", "polling: id", "polling: odd"]);
  });

  it("are accepted if all is as listed", () => {
    assertEquals(
      unexpectedResults(
        of({ a: "pass", b: "fail", c: "warn", d: "info" }),
        { ours: of({ a: "pass", b: "pass", c: "warn", d: "pass" }) },
        [known("b", "fail", ["ours"]), known("c", "warn")],
      ),
      [],
    );
  });

  it("are rejected if ours is worse", () => {
    const alone = of({ a: "pass", b: "pass", c: "info", d: "warn" });
    const ours = of({ a: "fail", c: "warn", d: "fail", e: "fail" });
    assertEquals(unexpectedResults(alone, { ours }, [known("d", "warn")]), [
      'a: "fail" with ours, worse than tmcp alone',
      'b: "info" with ours, worse than tmcp alone',
      'c: "warn" with ours, worse than tmcp alone',
      'd: "fail" with ours, worse than tmcp alone',
      'e: "fail" with ours, worse than tmcp alone',
    ]);
  });

  it("are rejected if tmcp alone differs from the list", () => {
    const alone = of({ a: "fail", b: "pass", c: "warn", d: "warn" });
    const listed = [known("b", "fail"), known("c", "fail"), known("e", "fail")];
    assertEquals(unexpectedResults(alone, {}, listed), [
      'a: "fail" with tmcp alone, not listed',
      'b: "pass" with tmcp alone, listed as "fail"',
      'c: "warn" with tmcp alone, listed as "fail"',
      'd: "warn" with tmcp alone, not listed',
      "e: listed, but did not run",
    ]);
  });

  it("are rejected if ours passes more or less than listed", () => {
    const alone = of({ a: "fail", b: "fail" });
    const ours = of({ a: "pass", b: "fail" });
    const listed = [known("a", "fail"), known("b", "fail", ["ours"])];
    assertEquals(unexpectedResults(alone, { ours }, listed), [
      'a: "pass" with ours, but listed otherwise',
      'b: "fail" with ours, but listed otherwise',
    ]);
  });
});

function of(results: Record<string, Outcome>): Results {
  return new Map(Object.entries(results));
}

function known(
  check: string,
  outcome: "warn" | "fail",
  passesWith: string[] = [],
): KnownFailure {
  return { check, outcome, reason: "A known cause.", passesWith };
}
