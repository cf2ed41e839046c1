import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertErrorResponse } from "../../support/assertions.ts";
import { pollUntil } from "../../support/timing.ts";
import { frame, TestClient } from "../../support/test_client.ts";
import { ENDPOINT, SESSION_HEADER } from "../../support/test_transport.ts";

const METHODS = ["GET", "POST", "DELETE"];
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

/** Which sessions may be used over HTTP. */
export const sessionsGuardCases: readonly SessionsCase[] = [
  {
    behaviour: "H1",
    name: "a malformed session ID is refused with 400",
    run: async ({ create, within }) => {
      const client = new TestClient(await create());
      const ids = ["", "a b", "a\tb", "caf\u00e9", "a, b", "x".repeat(257)];
      for (const id of ids) {
        for (const method of METHODS) {
          const what = `${method} with ${JSON.stringify(id)}`;
          const body = method === "POST" ? PING : undefined;
          const headers = { [SESSION_HEADER]: id };
          const response = client.request(method, headers, body);
          await assertErrorResponse(400, await within(response, what), what);
        }
      }
      deepStrictEqual(client.transport.seen, []);
    },
  },
  {
    behaviour: "H2",
    name:
      "a session ID that was never assigned is refused with 404, and never adopted",
    run: async ({ create, within }) => {
      const sessions = await create();
      const begun = await TestClient.begin(sessions);
      const ids = ["made-up", "__proto__", "x".repeat(256), `${begun.id}x`];
      for (const id of ids) {
        const client = new TestClient(sessions, { id });
        for (const method of METHODS) {
          const what = `${method} with ${id}`;
          const body = method === "POST" ? PING : undefined;
          const response = client.request(method, {}, body);
          await assertErrorResponse(404, await within(response, what), what);
        }
        deepStrictEqual(client.transport.seen, []);
        strictEqual(await sessions.streams.has(id), false);
      }
      // Metadata of an ID does not make it a session.
      await sessions.info.setLogLevel("made-up", "info");
      const intruder = new TestClient(sessions, { id: "made-up" });
      strictEqual(await intruder.ping(), 404);
      strictEqual(await begun.ping(), 200);
    },
  },
  {
    behaviour: "H2",
    name: "only a successful POST begins a session",
    run: async ({ create }) => {
      const sessions = await create();
      // tmcp's transports respond with an ID, whatever they are asked.
      const answers = [
        ["GET", 200],
        ["DELETE", 200],
        ["OPTIONS", 204],
        ["POST", 400],
        ["POST", 500],
      ] as const;
      for (const [method, status] of answers) {
        const id = crypto.randomUUID();
        const headers = { [SESSION_HEADER]: id };
        const request = new Request(ENDPOINT, { method });
        const response = new Response(null, { status, headers });
        const answer = await sessions.guard(request, () => response);
        // H9: no client knows the session of such a stream.
        strictEqual(answer.status, method === "GET" ? 400 : status);
        const client = new TestClient(sessions, { id });
        strictEqual(await client.ping(), 404, `${method} ${status}`);
      }
    },
  },
  {
    behaviour: "H2",
    name: "a deleted session is unknown",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      strictEqual(await client.ping(), 200);
      strictEqual(await client.end(), 200);
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
      for (const method of METHODS) {
        const body = method === "POST" ? PING : undefined;
        const response = await client.request(method, {}, body);
        await assertErrorResponse(404, response, `${method} after DELETE`);
      }
      // A setter that comes late brings nothing back.
      await sessions.info.setLogLevel(client.id, "info");
      strictEqual(await client.ping(), 404);
    },
  },
  {
    behaviour: "H2",
    name: "a web page of another origin can read a refusal",
    run: async ({ create }) => {
      const headers = { origin: "https://elsewhere.example" };
      const client = new TestClient(await create(), { id: "none", headers });
      const response = await client.request("GET");
      await assertErrorResponse(404, response, "A GET from elsewhere");
      strictEqual(response.headers.get("access-control-allow-origin"), "*");
    },
  },
  {
    behaviour: "H2",
    name: "a refusal does not wait for a body that is held elsewhere",
    run: async ({ create, within }) => {
      const client = new TestClient(await create());
      const request = new Request(ENDPOINT, {
        method: "POST",
        headers: { [SESSION_HEADER]: "made-up" },
        body: JSON.stringify(PING),
      });
      // As a log would; it may be read later, or never.
      const copy = request.clone();
      const refusal = within(client.send(request), "a refusal");
      await assertErrorResponse(404, await refusal, "A POST that was copied");
      deepStrictEqual(await within(copy.json(), "the copy"), PING);
    },
  },
  {
    behaviour: "H3",
    name: "a GET replaces the attached stream",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const { id } = client;
      const older = await client.listen();
      await sessions.streams.send([id], frame("for the older"));
      strictEqual(
        (await within(older.take(), "a text"))[0]!.data,
        "for the older",
      );
      const newer = await within(client.listen(), "a second GET");
      await within(older.end(), "the end of the older stream");
      await sessions.streams.send(undefined, frame("for the newer"));
      strictEqual(
        (await within(newer.take(), "a text"))[0]!.data,
        "for the newer",
      );
      // The server notices late that the older connection is dead.
      await older.cancel();
      strictEqual(await sessions.streams.has(id), true);
      const both = await within(
        Promise.all([client.listen(), client.listen()]),
        "two GETs at once",
      );
      await sessions.streams.send([id], frame("for one of them"));
      await sessions.streams.delete(id);
      const ends = both.map(async (stream) => (await stream.end()).data);
      deepStrictEqual(
        (await within(Promise.all(ends), "both ends")).flat(),
        ["for one of them"],
      );
    },
  },
  {
    behaviour: "H3",
    name:
      "a GET that the transport refuses does not affect the attached stream",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      const get = () =>
        new Request(ENDPOINT, { headers: { [SESSION_HEADER]: client.id } });
      const refusal = new Response(null, { status: 405 });
      strictEqual(await sessions.guard(get(), () => refusal), refusal);
      const failure = new Error("This transport fails.");
      const failed = sessions.guard(get(), () => Promise.reject(failure));
      strictEqual(await failed.catch((error) => error), failure);
      strictEqual(await sessions.streams.has(client.id), true);
      await sessions.streams.send([client.id], frame("still here"));
      strictEqual(
        (await within(stream.take(), "a text"))[0]!.data,
        "still here",
      );
    },
  },
  {
    behaviour: "S12",
    name: "at a limit, clients are asked to try again later",
    run: async ({ create }) => {
      const sessions = await create({
        streams: { maxSessions: 1 },
        info: { maxSessions: 2 },
      });
      const clients = [
        await TestClient.begin(sessions),
        await TestClient.begin(sessions),
      ] as const;
      const isRefused = async (response: Response) => {
        await assertErrorResponse(503, response, "One more");
        ok(Number(response.headers.get("retry-after")) > 0, "No Retry-After");
      };
      const late = new TestClient(sessions);
      await isRefused(await late.initialize());
      const stream = await clients[0].listen();
      await isRefused(await clients[1].request("GET"));
      // Replacing a stream needs no slot.
      await (await clients[0].listen()).cancel();
      await stream.cancel();
      await pollUntil(async () => !await sessions.streams.has(clients[0].id));
      await (await clients[1].listen()).cancel();
      strictEqual(await clients[0].end(), 200);
      strictEqual((await late.initialize()).status, 200);
    },
  },
];
