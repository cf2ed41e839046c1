import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { measure } from "../memory/own_process.ts";
import type { VanishedCosts } from "./support/vanishing.ts";

/** Deno and Bun don't close the connection of a response that has ended. */
const itOnNode = "Deno" in globalThis || "Bun" in globalThis ? it.skip : it;

describe("1,000 clients that stall, vanish and come back", () => {
  itOnNode(
    "S13 S14 get what they missed, and leave no connection and no memory behind",
    async () => {
      const { bytesPerClient, ...rest } = await measure<VanishedCosts>(
        "../node/support/vanishing.ts",
      );
      assertEquals(rest, {
        incomplete: [],
        evicted: 11,
        connections: 1_000,
        attached: 1_000,
        connectionsLeft: 0,
        socketsLeft: 0,
        reported: 0,
      });
      // The log keeps an event of each. A connection takes more than 10 KB.
      assert(
        bytesPerClient < 1_500,
        `Each client left ${bytesPerClient} bytes behind.`,
      );
    },
  );
});
