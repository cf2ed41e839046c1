import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { IdleCosts } from "./idle.ts";
import { measure } from "./own_process.ts";
import type { ReconnectCosts } from "./reconnects.ts";

describe("The memory of streams", () => {
  for (const replay of [false, true]) {
    const title = replay ? "with replay" : "without replay";
    it(`S13 100,000 streams that end leave nothing behind, ${title}`, async () => {
      const { bytesPerStream, timersWithoutStreams, ...rest } = await measure<
        ReconnectCosts
      >("reconnects.ts", replay ? "replay" : "");
      assert(
        bytesPerStream < 4,
        `Every ended stream left ${bytesPerStream} bytes behind.`,
      );
      assertEquals(rest, { attached: 0, opened: 110_000, timersAfterClose: 0 });
      // The timer that trims the replay log.
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
      `It takes ${bytes}: ${bytesPerSession} for the attachment, and ` +
        `${bytesPerRegistration} for the registration.`,
    );
  });
});
