import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";
import type { Costs } from "../cluster/support/virtual_hour.ts";

/** The number of sessions created and deleted between two measurements. */
const SESSIONS = 50 * 30 * 3 * 4;

describe("ClusterSessions, after an hour of sessions, streams and nodes that start and end,", () => {
  it("C16 keep and send no more than before", async () => {
    const { early, late, pending } = await measure<{
      early: Costs;
      late: Costs;
      pending: boolean;
    }>("../cluster/support/virtual_hour.ts");
    assert(
      late.joining < 1.2 * early.joining + 2_000,
      `The join of a node takes ${late.joining} characters, and took ` +
        `${early.joining}.`,
    );
    assert(
      late.idling < 1.1 * early.idling + 200,
      `Idle nodes send ${late.idling} characters, and sent ` +
        `${early.idling}.`,
    );
    const bytes = (late.heap - early.heap) / SESSIONS;
    // Code compiled meanwhile counts as well. Anything kept of a session would
    // take a few hundred bytes.
    assert(bytes < 50, `Every session left ${bytes} bytes behind.`);
    for (const { nodes, attached } of [early, late]) {
      assertEquals({ nodes, attached }, { nodes: 2, attached: 0 });
    }
    assertEquals(pending, false, "A timer is still pending.");
  });
});
