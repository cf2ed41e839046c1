import { assert } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";

describe("InMemorySessions", () => {
  it("I10 100,000 sessions leave nothing behind when they go", async () => {
    const { bytesPerSession } = await measure<{ bytesPerSession: number }>(
      "churn.ts",
    );
    assert(
      bytesPerSession < 4,
      `Every session that came and went left ${bytesPerSession} bytes behind.`,
    );
  });
});
