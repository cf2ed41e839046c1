import { assert } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";

describe("InMemorySessions", () => {
  it("I10 100,000 deleted sessions leave nothing behind", async () => {
    const { bytesPerSession } = await measure<{ bytesPerSession: number }>(
      "churn.ts",
    );
    assert(
      bytesPerSession < 4,
      `Every deleted session left ${bytesPerSession} bytes behind.`,
    );
  });
});
