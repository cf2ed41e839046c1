import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { startGuarded } from "./support/guarded.ts";
import { assertCallsSurvive } from "./support/interrupted_calls.ts";
import { engines } from "./support/serve.ts";

const CALLS = 50;

for (const engine of engines) {
  for (const major of [1, 2]) {
    describe(`Requests that are cut off, with the official client ${major}.x, on ${engine}`, () => {
      it(`P3 ${CALLS} tool calls lose nothing and get nothing twice`, async () => {
        await using server = await startGuarded(engine, {
          streams: { replay: {} },
        });
        const { httpUrl, sessions } = server;
        await assertCallsSurvive({
          url: httpUrl,
          streams: sessions.streams,
          major,
          calls: CALLS,
        });
        assert(sessions.stats().replayed > 0, "Nothing was replayed.");
        assertEquals(sessions.stats().resets, 0);
        assertEquals(server.reported, []);
      });
    });
  }
}
