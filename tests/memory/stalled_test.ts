import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { describe, it } from "node:test";
import { engines } from "../e2e/support/serve.ts";
import { measure } from "./own_process.ts";
import type { StalledCosts } from "./stalled.ts";

const MIB = 1_048_576;

for (const engine of engines) {
  describe(`When all readers stall, on ${engine}`, () => {
    it("S10 memory stays within the limit of unread bytes, and is freed", async () => {
      const costs = await measure<StalledCosts>("stalled.ts", engine, "bytes");
      const { readers, maxBytes, textBytes } = costs;
      assertEquals(costs.evicted, { bytes: readers, age: 0 });
      const limit = readers * (maxBytes + textBytes);
      assertLessOrEqual(costs.maxQueued, limit);
      // Runtimes count buffers twice, or hold more than what is unread. Without
      // a limit it would be ten times as much.
      assertLess(costs.maxUsed, 3 * limit);
      assertLess(costs.maxResident, 5 * limit);
      assertRecovered(costs);
    });

    it("S10 they are evicted for the age of their unread data", async () => {
      const costs = await measure<StalledCosts>("stalled.ts", engine, "age");
      assertEquals(costs.evicted, { bytes: 0, age: costs.readers });
      assertRecovered(costs);
    });
  });
}

function assertRecovered(costs: StalledCosts): void {
  const { readers, textBytes, sendMs } = costs;
  // Until its client reads or disconnects, a connection holds the frame that it
  // was writing.
  assertLess(costs.usedAfterwards, 3 * readers * textBytes);
  assertLess(costs.usedWithoutClients, 2 * MIB);
  // `send` waits for no reader.
  assertLess(sendMs, 1);
}
