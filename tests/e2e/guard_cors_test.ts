import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  assertRefused,
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { INITIALIZE } from "./support/server.ts";
import { engines } from "./support/serve.ts";

const APP = "https://app.example";
const EVIL = "https://evil.example";
const SESSION = "mcp-session-id";
const EXPOSE_HEADER = "access-control-expose-headers";
const EVERY_ORIGIN: Record<string, string> = {
  "access-control-allow-headers": "*",
  "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
  "access-control-allow-origin": "*",
  [EXPOSE_HEADER]: "Mcp-Session-Id",
};
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

for (const engine of engines) {
  describe(`Guard: CORS, on ${engine}`, () => {
    it("refusals have CORS headers if the transport's responses do", async () => {
      await using server = await startGuarded(engine, {
        transport: { cors: true, allowedOrigins: true },
        info: { maxSessions: 1 },
        streams: { maxSessions: 1 },
      });
      await assertRefusals(server, APP, EVERY_ORIGIN);
    });

    it("refusals use the transport's CORS configuration", async () => {
      await using server = await startGuarded(engine, {
        transport: {
          allowedOrigins: [APP],
          cors: {
            origin: [APP],
            methods: ["GET", "POST"],
            allowedHeaders: ["content-type", SESSION],
            exposedHeaders: [SESSION, "retry-after"],
            credentials: true,
            maxAge: 60,
          },
        },
        info: { maxSessions: 1 },
      });
      await assertRefusals(server, APP, {
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": `content-type, ${SESSION}`,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-origin": APP,
        "access-control-expose-headers": `${SESSION}, retry-after`,
        "access-control-max-age": "60",
      });
      await assertRefusals(server, EVIL, {});
    });

    it("refusals have no CORS headers if the request has no origin", async () => {
      await using server = await startGuarded(engine, {
        transport: { cors: true, allowedOrigins: true },
        info: { maxSessions: 1 },
      });
      await assertRefusals(server, undefined, {});
    });

    it("refuses the request even if the transport fails", async () => {
      await using server = await startGuarded(engine, {
        wrapTransport: () => () =>
          Promise.reject(new Error("The database is down.")),
      });
      for (const id of ["unknown", "no id"]) {
        const response = await sendRequest(server.httpUrl, {
          origin: APP,
          [SESSION]: id,
        });
        assertEquals(corsOf(response), {});
        await assertRefused(response, id === "unknown" ? 404 : 400);
      }
    });

    it("passes preflight requests to the transport", async () => {
      await using server = await startGuarded(engine, {
        transport: { cors: true, allowedOrigins: true },
      });
      const response = await fetch(server.httpUrl, {
        method: "OPTIONS",
        headers: { origin: APP },
      });
      assertEquals(response.status, 204);
      assertEquals(corsOf(response), EVERY_ORIGIN);
    });
  });
}

/** Asserts that every kind of refusal has the expected CORS headers. */
async function assertRefusals(
  { httpUrl, sessions }: GuardedServer,
  origin: string | undefined,
  expected: Record<string, string>,
): Promise<void> {
  const headers: Record<string, string> = origin === undefined
    ? {}
    : { origin };
  for (const body of [undefined, PING]) {
    for (const [id, status] of [["no id", 400], ["unknown", 404]] as const) {
      const response = await sendRequest(
        httpUrl,
        { ...headers, [SESSION]: id },
        body,
      );
      assertEquals(corsOf(response), expected);
      await assertRefused(response, status);
    }
  }
  if (origin === EVIL) return;
  const id = await beginSession(httpUrl, headers);
  const response = await sendRequest(httpUrl, headers, INITIALIZE);
  const exposed = expected[EXPOSE_HEADER];
  assertEquals(corsOf(response), {
    ...expected,
    ...exposed !== undefined && !exposed.includes("retry-after") &&
      { [EXPOSE_HEADER]: `${exposed}, Retry-After` },
  });
  await assertRefused(response, 503);
  await sessions.info.delete(id);
}

function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("access-control-")),
  );
}
