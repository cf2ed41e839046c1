import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import {
  assertErrorResponse,
  assertRejects,
} from "../../support/assertions.ts";
import { TestClient } from "../../support/test_client.ts";
import { ENDPOINT, SESSION_HEADER } from "../../support/test_transport.ts";

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const ORIGIN = "https://app.example";
const JSON_TYPE = { "content-type": "application/json" };

/** Requests as clients, browsers and proxies really send them. */
export const sessionsRequestCases: readonly SessionsCase[] = [
  {
    behaviour: "H8",
    name: "an initialize with an unknown session ID begins a new session",
    run: async ({ create }) => {
      const sessions = await create();
      const deleted = await TestClient.begin(sessions);
      strictEqual(await deleted.end(), 200);
      const ofOther = await TestClient.begin(sessions, { principal: "alice" });
      for (const id of ["from-before-a-restart", deleted.id, ofOther.id]) {
        const client = new TestClient(sessions, { id });
        strictEqual(await client.ping(), 404);
        strictEqual((await client.initialize()).status, 200, id);
        ok(client.id !== "" && client.id !== id, "The old ID was adopted");
        strictEqual(await client.ping(), 200);
        await (await client.listen()).cancel();
        const again = new TestClient(sessions, { id });
        strictEqual(await again.ping(), 404, "The old ID was adopted");
      }
      strictEqual(await ofOther.ping(), 200);
    },
  },
  {
    behaviour: "H8",
    name: "other messages with an unknown session ID do not begin a session",
    run: async ({ create }) => {
      const client = new TestClient(await create(), { id: "unknown" });
      const initialize = { ...PING, method: "initialize" };
      const bodies = [
        PING,
        [initialize],
        { params: initialize },
        "initialize",
        null,
      ].map((body) => JSON.stringify(body));
      for (const body of [...bodies, "", "{", '{"method":"initialize"']) {
        const response = await client.send(
          new Request(ENDPOINT, {
            method: "POST",
            headers: { ...JSON_TYPE, [SESSION_HEADER]: client.id },
            body,
          }),
        );
        await assertErrorResponse(404, response, body);
      }
      deepStrictEqual(client.transport.seen, []);
    },
  },
  {
    behaviour: "H9",
    name: "a GET without a session ID is refused with 400, and leaves nothing",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = new TestClient(sessions);
      const response = await within(client.request("GET"), "a response");
      await assertErrorResponse(400, response, "A GET without a session ID");
      strictEqual(response.headers.get(SESSION_HEADER), null);
      strictEqual(sessions.stats().attached, 0, "A stream is still open");
      const id = client.transport.assigned.at(-1)!;
      strictEqual(await new TestClient(sessions, { id }).ping(), 404);
    },
  },
  {
    behaviour: "H9",
    name: "a GET without a session ID passes if its response assigns none",
    run: async ({ create }) => {
      const sessions = await create();
      const request = new Request(ENDPOINT);
      // As the transport of 2024-11-05, whose session ID is in its first event.
      const response = new Response("event: endpoint\ndata: /message\n\n");
      strictEqual(await sessions.guard(request, () => response), response);
    },
  },
  {
    behaviour: "H10",
    name: "a web page of another origin can read its session ID",
    run: async ({ create }) => {
      const sessions = await create({ info: { maxSessions: 1 } });
      const headers = { origin: ORIGIN };
      const client = new TestClient(sessions, { headers });
      deepStrictEqual(exposedBy(await client.initialize()), ["mcp-session-id"]);
      const full = await new TestClient(sessions, { headers }).initialize();
      await assertErrorResponse(503, full, "One more session");
      deepStrictEqual(exposedBy(full), ["mcp-session-id", "retry-after"]);
    },
  },
  {
    behaviour: "H10",
    name: "headers that the transport exposes are still exposed",
    run: async ({ create }) => {
      const sessions = await create();
      const exposed = async (headers: Record<string, string>) =>
        exposedBy(
          await sessions.guard(
            new Request(ENDPOINT, { method: "POST" }),
            () => new Response(null, { status: 401, headers }),
          ),
        );
      const cors = { "access-control-allow-origin": "*" };
      const login = { "www-authenticate": "Bearer" };
      deepStrictEqual(await exposed(login), []);
      deepStrictEqual(await exposed({ ...cors, ...login }), [
        "mcp-session-id",
        "www-authenticate",
      ]);
      deepStrictEqual(
        await exposed({
          ...cors,
          "access-control-expose-headers": "X-Trace,MCP-Session-ID",
        }),
        ["mcp-session-id", "x-trace"],
      );
    },
  },
  {
    behaviour: "H11",
    name: "a JSON body above maxBodyBytes is refused with 413",
    run: async ({ create }) => {
      const maxBodyBytes = 1_000;
      const sessions = await create({ http: { maxBodyBytes } });
      const client = await TestClient.begin(sessions);
      for (const id of [client.id, undefined, "unknown"]) {
        for (const isLengthKnown of [true, false]) {
          const sender = new TestClient(sessions);
          const send = (bytes: number) =>
            sender.send(requestOf(bytes, id, isLengthKnown));
          const what = `${id ?? "no"} session, length ${isLengthKnown}`;
          const accepted = await send(maxBodyBytes);
          strictEqual(accepted.status, id === "unknown" ? 404 : 200, what);
          await accepted.body?.cancel();
          const reached = sender.transport.seen.length;
          const refused = await send(maxBodyBytes + 1);
          await assertErrorResponse(413, refused, what);
          strictEqual(refused.headers.get(SESSION_HEADER), null, what);
          // Without a length, a transport can see the request, but not all of
          // its body.
          if (!isLengthKnown) continue;
          strictEqual(sender.transport.seen.length, reached, what);
        }
      }
      strictEqual(await client.ping(), 200);
    },
  },
  {
    behaviour: "H12",
    name: "revisions from 2026-07-28 on have no sessions",
    run: async ({ create }) => {
      const sessions = await create();
      const send = (version: string) =>
        sessions.guard(
          new Request(ENDPOINT, {
            method: "POST",
            headers: {
              ...JSON_TYPE,
              [SESSION_HEADER]: "unknown",
              "mcp-protocol-version": version,
            },
            body: JSON.stringify(PING),
          }),
          (request) =>
            new Response(null, {
              status: request.headers.has(SESSION_HEADER) ? 500 : 200,
            }),
        );
      for (const version of ["2026-07-28", "2026-11-01", "2027-01-01"]) {
        strictEqual((await send(version)).status, 200, version);
      }
      for (const version of ["2025-11-25", "2026-07-27", "3", "latest"]) {
        strictEqual((await send(version)).status, 404, version);
      }
    },
  },
  {
    behaviour: "H13",
    name: "a path that the transport does not serve has no sessions",
    run: async ({ create }) => {
      const client = new TestClient(await create());
      for (const id of ["unknown", "no id"]) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const what = `${method} with ${JSON.stringify(id)}`;
          const response = await client.send(
            new Request("http://localhost/elsewhere", {
              method,
              headers: { ...JSON_TYPE, [SESSION_HEADER]: id },
              ...(method === "POST" && { body: JSON.stringify(PING) }),
            }),
          );
          strictEqual(response.status, 404, what);
          strictEqual(await response.text(), "", what);
        }
      }
    },
  },
  {
    behaviour: "H14",
    name: "arguments of the wrong type are refused with a clear error",
    run: async ({ create }) => {
      const sessions = await create();
      const nodeRequest = { url: "/mcp", method: "GET", headers: {} };
      const wrong: [argument: string, ...args: unknown[]][] = [
        ["request", nodeRequest, () => new Response()],
        ["request", undefined, () => new Response()],
        ["respond", new Request(ENDPOINT), { respond: () => new Response() }],
        ["respond", new Request(ENDPOINT)],
      ];
      for (const [argument, ...args] of wrong) {
        const call = () =>
          sessions.guard(...args as Parameters<Sessions["guard"]>);
        await assertRejects(call, "InvalidArgumentError", argument);
        const error = await call().catch((error) => error);
        strictEqual(error.argument, argument);
        match(error.message, argument === "request" ? /adapter/ : /function/);
      }
    },
  },
];

/** The headers that a web page of another origin can read, in lower case. */
function exposedBy({ headers }: Response): string[] {
  const exposed = headers.get("access-control-expose-headers");
  return exposed === null
    ? []
    : exposed.toLowerCase().split(",").map((name) => name.trim()).sort();
}

/** A ping whose body has this length. */
function requestOf(
  bytes: number,
  id: string | undefined,
  isLengthKnown: boolean,
): Request {
  const start = JSON.stringify({ ...PING, params: { padding: "" } });
  const body = start.replace('""', `"${"x".repeat(bytes - start.length)}"`);
  const init = {
    method: "POST",
    headers: {
      ...JSON_TYPE,
      ...(id !== undefined && { [SESSION_HEADER]: id }),
      ...(isLengthKnown && { "content-length": `${bytes}` }),
    },
    body: isLengthKnown ? body : new Blob([body]).stream(),
    duplex: "half",
  };
  return new Request(ENDPOINT, init as RequestInit);
}
