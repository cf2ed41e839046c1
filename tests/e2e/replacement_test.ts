import { StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemorySessions } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, type Fetch } from "./support/clients.ts";
import { engines } from "./support/serve.ts";
import { startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

/** How long the clients reconnect, in milliseconds. */
const DURATION_MS = 5_000;
/** How soon they reconnect if the server says nothing, in milliseconds. */
const DELAY_MS = 100;

for (const engine of engines) {
  for (const major of [1, 2]) {
    describe(`Two official clients ${major}.x with one session, on ${engine}`, () => {
      it("H15 are slowed and reported once, and still get messages", async () => {
        const reports: Error[] = [];
        await using sessions = new InMemorySessions({
          onError: (error) => reports.push(error),
        });
        await using server = await startServer({
          engine,
          managers: sessions,
          guard: (request, respond) => sessions.guard(request, respond),
        });
        await using alice = await connectHttp(server.httpUrl, sessions.streams);
        const received: unknown[] = [];
        let gets = 0;
        const countingFetch: Fetch = (url, init) => {
          if (init?.method === "GET") gets++;
          return fetch(url, init);
        };
        const transports = [1, 2].map(() => {
          const Transport = major === 1
            ? StreamableHTTPClientTransport
            : ModernTransport;
          const transport = new Transport(server.httpUrl, {
            sessionId: alice.sessionId,
            fetch: countingFetch,
            reconnectionOptions: {
              initialReconnectionDelay: DELAY_MS,
              maxReconnectionDelay: DELAY_MS,
              reconnectionDelayGrowFactor: 1,
              maxRetries: 1_000,
            },
          });
          transport.onmessage = (message: unknown) => received.push(message);
          return transport;
        });
        try {
          for (const transport of transports) {
            await transport.start();
            // Makes the client open its stream.
            await transport.send({
              jsonrpc: "2.0",
              method: "notifications/initialized",
            });
          }
          await new Promise((resolve) => setTimeout(resolve, DURATION_MS));
          assert(gets > 10, `Only ${gets} GET requests: they don't reconnect`);
          const withoutBrake = DURATION_MS / DELAY_MS;
          assert(gets < withoutBrake / 2, `${gets} GET requests`);
          assertEquals(reports.length, 1);
          server.mcp.changed("tools");
          await until(() => received.length > 0, "a notification");
        } finally {
          for (const transport of transports) await transport.close();
        }
      });
    });
  }
}
