import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { IdleCosts } from "./idle.ts";
import { measure } from "./own_process.ts";
import type { ReconnectCosts } from "./reconnects.ts";

describe("The memory that streams take", () => {
  for (const replay of [false, true]) {
    const title = replay ? "with replay" : "without replay";
    it(`S13 100,000 that come and go leave nothing behind, ${title}`, async () => {
      const { bytesPerStream, timersWithoutStreams, ...rest } = await measure<
        ReconnectCosts
      >("reconnects.ts", replay ? "replay" : "");
      assert(
        bytesPerStream < 4,
        `Every stream that came and went left ${bytesPerStream} bytes behind.`,
      );
      assertEquals(rest, { attached: 0, opened: 110_000, timersAfterClose: 0 });
      // What is kept for those who come back gets old, and has to be looked after.
      assertEquals(timersWithoutStreams, replay ? 1 : 0);
    });
  }

  it("S1 an idle session takes at most 400 bytes more than its stream", async () => {
    const { bytesPerSession, bytesPerRegistration } = await measure<IdleCosts>(
      "idle.ts",
    );
    const bytes = bytesPerSession + bytesPerRegistration;
    assert(
      bytes <= 400,
      `It takes ${bytes}: its stream's ${bytesPerSession}, and that a guard ` +
        `knows it ${bytesPerRegistration}.`,
    );
  });
});
