import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";

describe("createSdkHandler", () => {
  it("K6 10,000 sessions that were begun and abandoned leave nothing behind", async () => {
    const { bytesPerSession, ...left } = await measure<{
      bytesPerSession: number;
      open: number;
      hosted: number;
    }>("abandoned_sdk.ts");
    assertEquals(left, { open: 0, hosted: 0 });
    assert(
      bytesPerSession < 50,
      `Every session left ${bytesPerSession} bytes behind.`,
    );
  });
});
