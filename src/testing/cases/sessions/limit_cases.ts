import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import {
  assertErrorResponse,
  assertNotFound,
} from "../../support/assertions.ts";
import { TestClient } from "../../support/test_client.ts";
import { ENDPOINT, SESSION_HEADER } from "../../support/test_transport.ts";
import { pollUntil, retryOnStall } from "../../support/timing.ts";

const SSE = { "content-type": "text/event-stream" };
const WORK = { jsonrpc: "2.0", id: 9, method: "work" };
const LISTEN = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen" };

/** What one client may hold, and how it is refused. */
export const sessionsLimitCases: readonly SessionsCase[] = [
  {
    behaviour: "L3",
    name: "an initialize with too much client info begins no session",
    run: async ({ create, within }) => {
      const sessions = await create({
        info: { maxClientInfoBytes: 60, maxCapabilitiesBytes: 60 },
      });
      const client = new TestClient(sessions);
      const initialize = (name: string, capability: string) =>
        within(
          client.request("POST", {}, {
            jsonrpc: "2.0",
            id: 1,
            method: "initialize",
            params: {
              protocolVersion: "2025-11-25",
              clientInfo: { name, version: "1" },
              capabilities: { experimental: { [capability]: {} } },
            },
          }),
          "a response",
        );
      for (
        const [name, capability] of [["x".repeat(60), "a"], [
          "a",
          "x".repeat(60),
        ]]
      ) {
        const refused = await initialize(name!, capability!);
        await assertErrorResponse(413, refused, "Too long values");
        const id = client.transport.assigned.at(-1)!;
        const late = new TestClient(sessions, { id });
        strictEqual(await within(late.ping(), "a ping"), 404);
        await assertNotFound(
          () => within(sessions.info.getClientInfo(id), "client info"),
          "A refused session",
        );
      }
      const response = await initialize("a", "a");
      strictEqual(response.status, 200);
      await response.body?.cancel();
    },
  },
  {
    behaviour: "L5",
    name: "a principal has at most maxSessionsPerPrincipal sessions",
    run: async ({ create, within }) => {
      const refusals: unknown[] = [];
      const sessions = await create({
        info: { maxSessionsPerPrincipal: 3 },
        onRefuse: (...refusal) => refusals.push(refusal),
      });
      const principal = "alice";
      const begin = async (who: string | undefined = principal) => {
        const client = new TestClient(sessions, { principal: who });
        const response = await within(client.initialize(), "initialize");
        return { client, response };
      };
      const first = await begin();
      const second = await begin();
      const all = [first, second, ...await Promise.all([begin(), begin()])];
      const refused = all.filter(({ response }) => response.status !== 200);
      strictEqual(refused.length, 1, `${4 - refused.length} of 4 have begun`);
      const [{ client, response }] = refused as [typeof first];
      await assertErrorResponse(429, response, "One more session");
      ok(Number(response.headers.get("retry-after")) > 0, "No Retry-After");
      deepStrictEqual(refusals, [["tooManySessions", principal]]);
      await assertNotFound(
        () =>
          within(
            sessions.info.getClientInfo(client.transport.assigned[0]!),
            "client info",
          ),
        "A refused session",
      );
      // Others are not affected, nor are clients without a principal.
      for (const other of ["bob", ""]) {
        strictEqual((await begin(other)).response.status, 200);
      }
      for (let count = 0; count < 4; count++) {
        const anonymous = new TestClient(sessions);
        const response = await within(anonymous.initialize(), "initialize");
        strictEqual(response.status, 200);
      }
      // A session that ends makes room for one.
      strictEqual(await within(first.client.end(), "the end"), 200);
      strictEqual((await begin()).response.status, 200);
      strictEqual((await begin()).response.status, 429);
      strictEqual(await within(second.client.ping(), "a ping"), 200);
    },
  },
  {
    behaviour: "L6",
    name: "a principal begins at most maxNewSessionsPerSecond",
    run: ({ create, within }) =>
      retryOnStall(300, async () => {
        const refusals: unknown[] = [];
        const sessions = await create({
          http: { maxNewSessionsPerSecond: 2 },
          onRefuse: (...refusal) => refusals.push(refusal),
        });
        const startedAt = performance.now();
        const clients = ["a", "a", "a", "b"].map((principal) =>
          new TestClient(sessions, { principal })
        );
        const responses: Response[] = [];
        for (const client of clients) {
          responses.push(await within(client.initialize(), "initialize"));
        }
        const tookMs = performance.now() - startedAt;
        return [tookMs, async () => {
          const statuses = responses.map(({ status }) => status);
          deepStrictEqual(statuses, [200, 200, 429, 200]);
          const [, , refused] = responses as [Response, Response, Response];
          await assertErrorResponse(429, refused, "One more session");
          ok(Number(refused.headers.get("retry-after")) > 0, "No Retry-After");
          deepStrictEqual(refusals, [["tooManySessions", "a"]]);
          // The transport has done nothing for it.
          deepStrictEqual(clients[2]!.transport.seen, []);
          // Sessions that have begun are not affected.
          strictEqual(await within(clients[0]!.ping(), "a ping"), 200);
          let status = 0;
          await pollUntil(async () => {
            const late = new TestClient(sessions, { principal: "a" });
            ({ status } = await within(late.initialize(), "initialize"));
            return status === 200;
          }, 50);
          strictEqual(status, 200, "Later sessions are refused as well");
        }];
      }),
  },
  {
    behaviour: "L7",
    name:
      "without replay, a session has at most maxRequestsPerSession requests",
    run: async ({ create, within }) => {
      const refusals: unknown[] = [];
      const sessions = await create({
        http: { maxRequestsPerSession: 2 },
        onRefuse: (...refusal) => refusals.push(refusal),
      });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      const first = await within(client.work(1), "a response");
      const second = await within(client.work(2), "a response");
      const more = () => within(client.request("POST", {}, WORK), "a response");
      await assertErrorResponse(503, await more(), "One more request");
      deepStrictEqual(refusals, [["tooManyRequests", undefined]]);
      strictEqual(await within(client.notify(), "a notification"), 202);
      await within(other.work(1), "a response");
      // A response that ends makes room, and so does a client that disconnects.
      first.call.finish({});
      await within(first.events.end(), "the end");
      await second.events.cancel();
      const opened: Response[] = [];
      await pollUntil(async () => {
        const response = await more();
        if (response.ok) opened.push(response);
        return opened.length === 2;
      });
      strictEqual(opened.length, 2, "Requests are refused for too long");
      await assertErrorResponse(503, await more(), "One more request");
      const crowd = await TestClient.begin(sessions);
      const ids = [1, 2, 3, 4];
      const atOnce = await within(
        Promise.all(
          ids.map((id) => crowd.request("POST", {}, { ...WORK, id })),
        ),
        "four responses",
      );
      strictEqual(atOnce.filter(({ ok }) => ok).length, 2, "Of four at once");
    },
  },
  {
    behaviour: "L7",
    name: "a principal has at most maxStreamsPerPrincipal without a session",
    run: async ({ create, within }) => {
      const refusals: unknown[] = [];
      const sessions = await create({
        http: { maxStreamsPerPrincipal: 2, maxNewSessionsPerSecond: 1 },
        onRefuse: (...refusal) => refusals.push(refusal),
      });
      const listeners = new Listeners(sessions);
      const listen = (principal?: string) =>
        within(listeners.listen(principal), "a response");
      const first = await listen("alice");
      const second = await listen("alice");
      strictEqual(second.status, 200);
      await assertErrorResponse(429, await listen("alice"), "One more stream");
      deepStrictEqual(refusals, [["tooManyStreams", "alice"]]);
      strictEqual(listeners.streams.length, 2, "It reached the transport");
      strictEqual((await listen("bob")).status, 200);
      for (let count = 0; count < 3; count++) {
        strictEqual((await listen()).status, 200);
      }
      // What is sent arrives, and the end makes room.
      const text = within(first.text(), "the stream");
      listeners.streams[0]!.enqueue(new TextEncoder().encode(": a\n\n"));
      listeners.streams[0]!.close();
      strictEqual(await text, ": a\n\n");
      strictEqual((await listen("alice")).status, 200);
      await second.body!.cancel();
      strictEqual((await listen("alice")).status, 200);
      strictEqual((await listen("alice")).status, 429);
      // After this, a request may only begin a stream, so its body is read.
      await within(TestClient.begin(sessions, { principal: "carol" }), "begin");
      const carol = ["carol", "carol", "carol", "carol"];
      const atOnce = await within(Promise.all(carol.map(listen)), "responses");
      strictEqual(atOnce.filter(({ ok }) => ok).length, 2, "Of four at once");
    },
  },
  {
    behaviour: "L9",
    name: "onRefuse is called with each refusal, and with nothing else",
    run: async ({ create, within }) => {
      const refusals: unknown[] = [];
      const sessions = await create({
        http: { maxBodyBytes: 1_000 },
        onRefuse: (...refusal) => {
          refusals.push(refusal);
          throw new Error("This callback fails.");
        },
      });
      const principal = "alice";
      const client = await TestClient.begin(sessions, { principal });
      strictEqual(await within(client.ping(), "a ping"), 200);
      deepStrictEqual(refusals, []);
      const unknown = { [SESSION_HEADER]: "unknown" };
      const long = { ...WORK, params: { text: "x".repeat(1_000) } };
      const requests: [string, string, Record<string, string>, object?][] = [
        ["invalidSession", "POST", { [SESSION_HEADER]: "a b" }, WORK],
        ["unknownSession", "GET", unknown],
        ["unknownSession", "DELETE", unknown],
        ["unknownSession", "POST", unknown, WORK],
        ["tooLarge", "POST", {}, long],
      ];
      for (const [reason, method, headers, body] of requests) {
        const request = client.request(method, headers, body);
        await (await within(request, "a refusal")).body?.cancel();
        deepStrictEqual(refusals.splice(0), [[reason, principal]], method);
      }
      const stranger = new TestClient(sessions);
      const get = stranger.request("GET", { accept: "text/event-stream" });
      await (await within(get, "a refusal")).body?.cancel();
      deepStrictEqual(refusals, [["missingSession", undefined]]);
    },
  },
];

/** Clients of the per-request era, and the streams of their transport. */
class Listeners {
  readonly streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  listen(principal: string | undefined): Promise<Response> {
    const request = new Request(ENDPOINT, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
      },
      body: JSON.stringify(LISTEN),
    });
    const respond = () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void this.streams.push(controller),
      });
      return new Response(body, { headers: SSE });
    };
    return this.#sessions.guard(request, respond, { principal });
  }
}
