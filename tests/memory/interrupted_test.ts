import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";

describe("InMemorySessions", () => {
  it("P8 10,000 requests that were cut off and never resumed leave nothing behind", async () => {
    const { bytesPerRequest, ...stats } = await measure<{
      bytesPerRequest: number;
      openRequests: number;
      queuedBytes: number;
    }>("interrupted.ts");
    assertEquals(stats, { openRequests: 0, queuedBytes: 0 });
    assert(
      bytesPerRequest < 10,
      `Every request left ${bytesPerRequest} bytes behind.`,
    );
  });
});
