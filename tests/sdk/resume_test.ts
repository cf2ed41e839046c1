import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { assertCallsSurvive } from "../e2e/support/interrupted_calls.ts";
import { SDKS } from "./support/servers.ts";
import { startHandled } from "./support/handled.ts";
import { resetCounts } from "../support/empty_stats.ts";

const CALLS = 10;

for (const sdk of SDKS) {
  for (const major of [1, 2]) {
    describe(`Requests that are cut off, with a server ${sdk.name} and the official client ${major}.x`, () => {
      it(`K1 P3 ${CALLS} tool calls lose nothing and get nothing twice`, async () => {
        await using server = await startHandled(sdk);
        const { url, sessions } = server;
        const { streams } = sessions;
        await assertCallsSurvive({ url, streams, major, calls: CALLS });
        assert(sessions.stats().replayed > 0, "Nothing was replayed.");
        assertEquals(sessions.stats().resets, resetCounts());
        assertEquals(server.reported, []);
      });
    });
  }
}
