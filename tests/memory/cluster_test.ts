import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "./own_process.ts";
import type { Costs } from "../cluster/support/virtual_hour.ts";

/** How many sessions came and went between the two looks. */
const SESSIONS = 50 * 30 * 3 * 4;

describe("ClusterSessions, after an hour of coming and going,", () => {
  it("C16 keep no more, and have no more to say, than before", async () => {
    const { early, late, pending } = await measure<{
      early: Costs;
      late: Costs;
      pending: boolean;
    }>("../cluster/support/virtual_hour.ts");
    assert(
      late.joining < 1.2 * early.joining + 2_000,
      `A node that joins costs ${late.joining} characters, and did cost ` +
        `${early.joining}.`,
    );
    assert(
      late.idling < 1.1 * early.idling + 200,
      `Nodes that do nothing say ${late.idling} characters, and did say ` +
        `${early.idling}.`,
    );
    const bytes = (late.heap - early.heap) / SESSIONS;
    // Code that is compiled meanwhile counts as well; whatever was kept of a session
    // would be a few hundred.
    assert(bytes < 50, `Every session left ${bytes} bytes behind.`);
    for (const { nodes, attached } of [early, late]) {
      assertEquals({ nodes, attached }, { nodes: 2, attached: 0 });
    }
    assertEquals(pending, false, "A timer still runs.");
  });
});
