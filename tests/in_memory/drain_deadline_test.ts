import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  advance,
  openStream,
  shiftSystemClock,
  usingFakeTime,
} from "../support/streams.ts";

describe("InMemoryStreamSessionManager.close with drainMs, on a busy event loop", () => {
  it(
    "S13 ends the remaining streams at the deadline, though few steps ran",
    usingFakeTime(async (time) => {
      const manager = new InMemoryStreamSessionManager();
      let open = 100;
      for (let id = 0; id < 100; id++) {
        const { controller, readToEnd } = openStream();
        manager.create(`${id}`, controller);
        readToEnd().then(() => open--);
      }
      let isClosed = false;
      const closing = manager.close({ drainMs: 20_000 })
        .then(() => isClosed = true);
      await advance(time, 1_000);
      assertEquals([open, isClosed], [95, false]);
      // The event loop was blocked for the rest of the time.
      const restore = shiftSystemClock(19_000);
      try {
        await advance(time, 1_000);
        await closing;
      } finally {
        restore();
      }
      assertEquals(open, 0);
    }),
  );
});
