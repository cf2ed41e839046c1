import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { AbuseCosts } from "./abuse.ts";
import { measure } from "./own_process.ts";

/** How much longer honest clients may wait on a busy machine, in ms. */
const SLACK_MS = 25;
/** How much the heap may grow, in bytes. */
const GROWTH = 2_000_000;

describe("a thousand hostile clients beside a hundred honest ones", () => {
  it("L2 L3 L5 L6 L9 the honest ones lose nothing and don't wait, and memory is flat", async () => {
    const costs = await measure<AbuseCosts>("abuse.ts");
    const { waitMs, heap, hostileRefused, notifications, ...rest } = costs;
    assert(
      waitMs.together <= 2 * waitMs.alone + SLACK_MS,
      `Honest clients wait ${waitMs.together} ms instead of ${waitMs.alone} ms.`,
    );
    assert(
      heap.after - heap.before < GROWTH,
      `The heap grew from ${heap.before} to ${heap.after} bytes.`,
    );
    assert(hostileRefused > 0, "No request was refused.");
    assert(notifications > 0, "Nothing was sent.");
    assertEquals(rest, {
      lost: 0,
      honestRefused: 0,
      hostileSessions: 3_000,
      aboveLimit: 0,
    });
  });
});
