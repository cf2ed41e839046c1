import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  addChecks,
  checksOf,
  complaints,
  type KnownFailure,
  type Outcome,
  type Results,
} from "./results.ts";

describe("the results of the conformance suite", () => {
  it("name a check by its scenario, and take the worse of two", () => {
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

  it("are fine when all is as listed", () => {
    assertEquals(
      complaints(
        of({ a: "pass", b: "fail", c: "warn", d: "info" }),
        { ours: of({ a: "pass", b: "pass", c: "warn", d: "pass" }) },
        [known("b", "fail", ["ours"]), known("c", "warn")],
      ),
      [],
    );
  });

  it("are not when ours is worse", () => {
    const alone = of({ a: "pass", b: "pass", c: "info", d: "warn" });
    const ours = of({ a: "fail", c: "warn", d: "fail", e: "fail" });
    assertEquals(complaints(alone, { ours }, [known("d", "warn")]), [
      'a: "fail" with ours, worse than tmcp alone',
      'b: "info" with ours, worse than tmcp alone',
      'c: "warn" with ours, worse than tmcp alone',
      'd: "fail" with ours, worse than tmcp alone',
      'e: "fail" with ours, worse than tmcp alone',
    ]);
  });

  it("are not when tmcp alone does other than listed", () => {
    const alone = of({ a: "fail", b: "pass", c: "warn", d: "warn" });
    const listed = [known("b", "fail"), known("c", "fail"), known("e", "fail")];
    assertEquals(complaints(alone, {}, listed), [
      'a: "fail" with tmcp alone, not listed',
      'b: "pass" with tmcp alone, listed as "fail"',
      'c: "warn" with tmcp alone, listed as "fail"',
      'd: "warn" with tmcp alone, not listed',
      "e: listed, but not made",
    ]);
  });

  it("are not when ours passes more or less than listed", () => {
    const alone = of({ a: "fail", b: "fail" });
    const ours = of({ a: "pass", b: "fail" });
    const listed = [known("a", "fail"), known("b", "fail", ["ours"])];
    assertEquals(complaints(alone, { ours }, listed), [
      'a: "pass" with ours, other than listed',
      'b: "fail" with ours, other than listed',
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
  return { check, outcome, reason: "It is so.", passesWith };
}
