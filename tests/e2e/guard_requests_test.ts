import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, type Fetch } from "./support/clients.ts";
import {
  assertRefused,
  beginSession,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { engines } from "./support/serve.ts";
import { INITIALIZE } from "./support/server.ts";
import { within } from "./support/until.ts";

const SESSION = "mcp-session-id";
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const MAX_BODY_BYTES = 1_000_000;

for (const engine of engines) {
  describe(`Guard: requests, on ${engine}`, () => {
    it("H8 an official client connects although it sends an old session ID", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions } = server;
      const sent: (string | null)[] = [];
      // Sends the old ID until the server assigns a new one, as clients do that
      // store it.
      const sendOldId: Fetch = (url, init) => {
        const headers = new Headers(init?.headers);
        if (!headers.has(SESSION)) {
          headers.set(SESSION, "from-before-a-restart");
        }
        sent.push(headers.get(SESSION));
        return fetch(url, { ...init, headers });
      };
      await using alice = await connectHttp(httpUrl, sessions.streams, {
        fetch: sendOldId,
      });
      await alice.client.ping();
      assertEquals(sent[0], "from-before-a-restart");
      assertNotEquals(alice.sessionId, sent[0]);
      assertEquals(sent.at(-1), alice.sessionId);
    });

    it("H9 refuses a GET without a session ID, and keeps no stream", async () => {
      await using server = await startGuarded(engine, {
        streams: { maxSessions: 1 },
      });
      const { httpUrl, sessions } = server;
      for (let attempt = 0; attempt < 3; attempt++) {
        await assertRefused(await sendRequest(httpUrl, {}), 400);
        assertEquals(sessions.stats().attached, 0);
      }
      await using alice = await connectHttp(httpUrl, sessions.streams);
      await assertRefused(await sendRequest(httpUrl, {}), 400);
      await alice.client.ping();
      assertEquals(sessions.stats().attached, 1);
      // Only the refused stream above the limit is reported, if at all.
      assert(server.reported.length <= 1, `${server.reported}`);
    });

    it("H11 refuses a JSON body above maxBodyBytes with 413", async () => {
      await using server = await startGuarded(engine, {
        http: { maxBodyBytes: MAX_BODY_BYTES },
      });
      const { httpUrl, sessions } = server;
      const id = await beginSession(httpUrl);
      const known = { [SESSION]: id };
      for (const headers of [{}, known, { [SESSION]: "unknown" }]) {
        for (const isChunked of [false, true]) {
          const tooLarge = await within(
            sendLarge(httpUrl, headers, MAX_BODY_BYTES + 1, isChunked),
            "a refusal",
          );
          await assertRefused(tooLarge, 413);
        }
      }
      assertEquals(sessions.stats().attached, 0);
      for (const isChunked of [false, true]) {
        const response = await sendLarge(
          httpUrl,
          known,
          MAX_BODY_BYTES,
          isChunked,
        );
        await response.text();
        assertEquals(response.status, 200);
      }
    });

    it("H12 serves a later revision without sessions", async () => {
      await using server = await startGuarded(engine);
      const response = await sendRequest(server.httpUrl, {
        [SESSION]: "unknown",
        "mcp-protocol-version": "2027-01-01",
      }, PING);
      // The transport does not know this revision, and begins a session.
      assertEquals(response.status, 200);
      assertNotEquals(response.headers.get(SESSION), "unknown");
      await response.text();
    });

    it("H10 a page of another origin can read the session ID", async () => {
      await using server = await startGuarded(engine, {
        transport: { cors: true, allowedOrigins: true },
      });
      const response = await sendRequest(
        server.httpUrl,
        { origin: "https://app.example" },
        INITIALIZE,
      );
      await response.text();
      assertEquals(
        response.headers.get("access-control-expose-headers"),
        "Mcp-Session-Id",
      );
    });

    it("H13 passes requests for other paths, whatever their session ID", async () => {
      await using server = await startGuarded(engine, {
        wrapTransport: (respond) => (request) => {
          if (!request.url.endsWith("/health")) return respond(request);
          return request.method === "GET"
            ? new Response("healthy")
            : new Response("no such method", { status: 404 });
        },
      });
      const health = new URL(`${server.httpUrl}/health`);
      for (const id of ["unknown", "no id"]) {
        const response = await sendRequest(health, { [SESSION]: id });
        assertEquals(await response.text(), "healthy");
      }
    });
  });
}

/** Sends a ping with a body of this length. */
function sendLarge(
  url: URL,
  headers: Record<string, string>,
  bytes: number,
  isChunked: boolean,
): Promise<Response> {
  const start = JSON.stringify({ ...PING, params: { padding: "" } });
  const body = start.replace('""', `"${"x".repeat(bytes - start.length)}"`);
  const init = {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...headers,
    },
    body: isChunked ? new Blob([body]).stream() : body,
    duplex: "half",
  };
  return fetch(url, init as RequestInit);
}
