import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { FloodCosts } from "./floods.ts";
import { measure } from "./own_process.ts";

describe("Floods of requests that belong to no session of their sender", () => {
  it("L9 leave nothing behind, and an honest client is served", async () => {
    const { bytesPerRequest, refused, ...rest } = await measure<FloodCosts>(
      "floods.ts",
    );
    for (const [flood, bytes] of Object.entries(bytesPerRequest)) {
      assert(bytes < 10, `Each ${flood} left ${bytes} bytes behind.`);
    }
    assertEquals(refused, {
      "initialize of one principal": ["tooManySessions", "unavailable"],
      "initialize of many principals": ["unavailable"],
      "GET without a session": ["missingSession"],
      "GET of a random session": ["unknownSession"],
      "DELETE of a random session": ["unknownSession"],
      "POST to a random session": ["unknownSession"],
      "Last-Event-ID of a random session": ["unknownSession"],
      "the session of somebody else": ["unknownSession"],
    });
    assertEquals(rest, { sessions: 100, honest: Array(8).fill(200) });
  });
});
