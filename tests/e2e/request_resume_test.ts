import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectHttp2, type Fetch } from "./support/clients.ts";
import { startGuarded } from "./support/guarded.ts";
import { assertCallsSurvive } from "./support/interrupted_calls.ts";
import { engines } from "./support/serve.ts";
import { resetCounts } from "../support/empty_stats.ts";

const CALLS = 30;

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
        assertEquals(sessions.stats().resets, resetCounts());
        assertEquals(server.reported, []);
      });

      it("P9 a JSON-RPC error ends a request: its client does not ask for more", async () => {
        await using server = await startGuarded(engine, {
          streams: { replay: {} },
        });
        let gets = 0;
        const countingFetch: Fetch = (url, init) => {
          if (init?.method === "GET") gets++;
          return fetch(url, init);
        };
        const connect = major === 1 ? connectHttp : connectHttp2;
        await using connected = await connect(
          server.httpUrl,
          server.sessions.streams,
          { fetch: countingFetch, reconnect: true },
        );
        const { client } = connected;
        const before = gets;
        await assertRejects(() => client.getPrompt({ name: "unknown" }));
        // Long enough for dozens of requests.
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert(gets - before <= 1, `${gets - before} GET requests`);
        await client.ping();
      });
    });
  }
}
