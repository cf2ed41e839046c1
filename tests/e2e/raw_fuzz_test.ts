import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { connectHttp, summary } from "./support/clients.ts";
import { startGuarded } from "./support/guarded.ts";
import { openConnection } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { NEWS } from "./support/server.ts";
import { until, within } from "./support/until.ts";

// On all three runtimes, an unhandled rejection fails the test.

/** How long a request may keep its connection open, in milliseconds. */
const PATIENCE_MS = 30;

const method = fc.constantFrom("GET", "POST", "DELETE", "OPTIONS", "PUT", "X");
const path = fc.constantFrom("/mcp", "/mcp?a=1", "/", "/sse", "/mcp/%00");
/** Bytes that a line may have. */
const value = fc.oneof(
  fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
  fc.stringMatching(/^[\t\x80-\xff]{0,20}$/),
  fc.constantFrom("text/event-stream", "application/json", "2026-07-28", "*/*"),
);
const header = fc.tuple(
  fc.constantFrom(
    "accept",
    "content-type",
    "mcp-session-id",
    "last-event-id",
    "mcp-protocol-version",
    "origin",
    "x-user",
  ),
  value,
);
const body = fc.oneof(
  fc.constant(""),
  fc.json().map((text) => `\n${text}`),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.record({
    jsonrpc: fc.constantFrom("2.0", "1.0"),
    id: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
    method: fc.constantFrom("initialize", "ping", "tools/call", "x"),
    params: fc.jsonValue({ maxDepth: 2 }),
  }).map((message) => JSON.stringify(message)),
);
/** How the body is sent, or not. */
const framing = fc.constantFrom("length", "chunked", "short", "long", "none");
const request = fc.record({
  method,
  path,
  headers: fc.array(header),
  body,
  framing,
});

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly framing: string;
}

/** Sends a request byte by byte, and closes the connection soon. */
async function sendRaw(url: URL, given: RawRequest): Promise<void> {
  const socket = await openConnection(url);
  const bytes = Buffer.from(given.body);
  const { length } = bytes;
  const lines: Record<string, string[]> = {
    length: [`content-length: ${length}`],
    chunked: ["transfer-encoding: chunked"],
    short: [`content-length: ${length + 10}`],
    long: [`content-length: ${Math.max(length - 10, 0)}`],
    none: [],
  };
  const head = [
    `${given.method} ${given.path} HTTP/1.1`,
    `host: ${url.host}`,
    ...given.headers.map(([name, value]) => `${name}: ${value}`),
    ...lines[given.framing]!,
  ].join("\r\n");
  socket.write(Buffer.from(`${head}\r\n\r\n`, "latin1"));
  if (given.framing === "chunked") {
    if (length > 0) socket.write(`${length.toString(16)}\r\n`);
    socket.write(bytes);
    socket.write(length > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
  } else socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  await socket.closed;
  clearTimeout(timer);
}

for (const engine of engines) {
  describe(`Random bytes, on ${engine}`, () => {
    it("L9 harm neither the server nor an honest client", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
        http: { bodyTimeoutMs: 50, maxBodyBytes: 1_000 },
      });
      await using alice = await connectHttp(
        server.httpUrl,
        server.sessions.streams,
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(request, { minLength: 5 }),
          async (requests) => {
            await within(
              Promise.all(requests.map((it) => sendRaw(server.httpUrl, it))),
              "the connections to end",
            );
            await within(alice.client.ping(), "the response to a ping");
          },
        ),
        { numRuns: 40 },
      );
      server.mcp.changed("resource", NEWS);
      server.mcp.changed("tools");
      await until(() => alice.notifications.length > 0, "a notification");
      assertEquals(summary(alice.notifications), [
        "notifications/tools/list_changed",
      ]);
      await until(() => server.sessions.stats().attached === 1, "one stream");
    });
  });
}
