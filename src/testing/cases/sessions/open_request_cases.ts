import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertErrorResponse } from "../../support/assertions.ts";
import { pollUntil, retryOnStall } from "../../support/timing.ts";
import { frame, TestClient } from "../../support/test_client.ts";

const REPLAY = { streams: { replay: {} } };
const MAX_AGE_MS = 150;

/** Requests that outlive the connection of their client. */
export const sessionsOpenRequestCases: readonly SessionsCase[] = [
  {
    behaviour: "P1",
    name:
      "the response to a POST begins with an event ID, and each event has one",
    run: async ({ create, within }) => {
      const sessions = await create(REPLAY);
      for (const version of ["2025-06-18", "2025-11-25"]) {
        const headers = { "mcp-protocol-version": version };
        const client = await TestClient.begin(sessions, { headers });
        const { events, call } = await within(client.work(7), "a response");
        const first = await within(events.first(), "the first event");
        strictEqual(first.data, "");
        ok(first.lastEventId, "The first event has no ID");
        // Earlier clients take an empty message for a broken one.
        ok(version >= "2025-11-25" || first.type !== "message", version);
        call.send(note(0));
        call.finish({ done: true });
        const [one, two] = await within(events.take(2), "two events");
        strictEqual(one!.data, JSON.stringify({ jsonrpc: "2.0", ...note(0) }));
        strictEqual(two!.data, resultOf(7));
        const ids = [first, one!, two!].map(({ lastEventId }) => lastEventId);
        strictEqual(new Set(ids).size, 3, `${ids}`);
        deepStrictEqual(await within(events.end(), "the end"), {
          ended: "closed",
          data: [],
        });
      }
    },
  },
  {
    behaviour: "P1",
    name: "without replay, the response to a POST is unchanged",
    run: async ({ create, within }) => {
      const client = await TestClient.begin(await create());
      const { events, call } = await within(client.work(7), "a response");
      call.finish({ done: true });
      const { type, data, lastEventId } = await within(events.first(), "it");
      deepStrictEqual([type, data, lastEventId], ["message", resultOf(7), ""]);
    },
  },
  {
    behaviour: "P2",
    name: "a client that was cut off gets the rest, once and in order",
    run: async ({ create, within }) => {
      const sessions = await create(REPLAY);
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      // Cut off before the first message, after one, and after the response.
      for (const received of [0, 1, 3]) {
        const { events, call } = await within(
          client.work(received),
          "a response",
        );
        let { lastEventId } = await within(events.first(), "the first event");
        const send = (from: number, to: number) => {
          for (let number = from; number < to; number++) {
            call.send(note(number));
          }
          if (to === 3) call.finish({ done: true });
        };
        send(0, received);
        for (let taken = 0; taken < received; taken++) {
          const [event] = await within(events.take(), "an event");
          ({ lastEventId } = event!);
        }
        await events.cancel();
        strictEqual(call.signal.aborted, false, "A disconnect is no cancel");
        if (received < 3) send(received, 3);
        // Neither counts for the other.
        await sessions.streams.send([client.id], frame(`${received}`));
        await sessions.streams.send(undefined, frame("for all"));
        const resumed = await within(client.listen(lastEventId), "a response");
        const { ended, data } = await within(resumed.end(), "the rest");
        const all = [0, 1, 2].map((number) =>
          JSON.stringify({ jsonrpc: "2.0", ...note(number) })
        );
        deepStrictEqual(data, [...all, resultOf(received)].slice(received));
        strictEqual(ended, "closed");
        // The stream of the session was not replaced.
        const texts = await within(stream.take(2), "what was sent");
        deepStrictEqual(texts.map(({ data }) => data), [
          `${received}`,
          "for all",
        ]);
      }
    },
  },
  {
    behaviour: "P2",
    name: "a client that comes back while its request runs gets what follows",
    run: async ({ create, within }) => {
      const client = await TestClient.begin(await create(REPLAY));
      const { events, call } = await within(client.work(1), "a response");
      let { lastEventId } = await within(events.first(), "the first event");
      await events.cancel();
      for (let number = 0; number < 5; number++) {
        const resumed = await within(client.listen(lastEventId), "a response");
        call.send(note(number));
        const [event] = await within(resumed.take(), "the next message");
        strictEqual(
          event!.data,
          JSON.stringify({ jsonrpc: "2.0", ...note(number) }),
        );
        ({ lastEventId } = event!);
        await resumed.cancel();
      }
      const last = await within(client.listen(lastEventId), "a response");
      call.finish({ done: true });
      deepStrictEqual(await within(last.end(), "the response"), {
        ended: "closed",
        data: [resultOf(1)],
      });
    },
  },
  {
    behaviour: "P8",
    name: "a session has at most maxRequestsPerSession open requests",
    run: async ({ create, within }) => {
      const http = { maxRequestsPerSession: 2 };
      const sessions = await create({ ...REPLAY, http });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      const [first] = [
        await within(client.work(1), "a response"),
        await within(client.work(2), "a response"),
      ];
      const work = { jsonrpc: "2.0", id: 3, method: "work" };
      const refusal = client.request("POST", {}, work);
      const refused = await within(refusal, "a refusal");
      await assertErrorResponse(503, refused, "One more request");
      ok(Number(refused.headers.get("retry-after")) > 0, "No Retry-After");
      // The open requests may wait for these.
      strictEqual(await client.notify(), 202);
      const answer = { jsonrpc: "2.0", id: 9, result: {} };
      strictEqual((await client.request("POST", {}, answer)).status, 202);
      await within(other.work(1), "a response");
      first.call.finish({});
      await within(first.events.end(), "the end");
      await pollUntil(async () => {
        const request = client.request("POST", {}, work);
        const response = await within(request, "a response");
        return response.status === 200;
      });
    },
  },
  {
    behaviour: "P8",
    name: "requests whose client never comes back leave nothing",
    run: async ({ create, within }) => {
      const sessions = await create({
        streams: { replay: { maxAgeMs: MAX_AGE_MS } },
      });
      const client = await TestClient.begin(sessions);
      const ids: string[] = [];
      for (let id = 0; id < 20; id++) {
        const { events, call } = await within(client.work(id), "a response");
        ids.push((await within(events.first(), "an ID")).lastEventId);
        await events.cancel();
        call.send(note(id));
        call.finish({ done: true });
      }
      await pollUntil(() => openRequestsOf(sessions) === 0);
      await pollUntil(async () => {
        const headers = { "last-event-id": ids.at(-1)! };
        const response = await client.request("GET", headers);
        const text = await within(response.text(), "the response");
        return response.status === 400 || !text.includes('"result"');
      });
    },
  },
  {
    behaviour: "P9",
    name: "nobody else gets the events of a request",
    run: async ({ create, within }) => {
      const sessions = await create(REPLAY);
      const client = await TestClient.begin(sessions, { principal: "alice" });
      const other = await TestClient.begin(sessions, { principal: "bob" });
      const { events, call } = await within(client.work(1), "a response");
      const { lastEventId } = await within(events.first(), "the first event");
      call.send(note(1));
      await within(events.take(), "a message");
      const thief = new TestClient(sessions, {
        id: client.id,
        principal: "bob",
      });
      const get = (who: TestClient, id: string) =>
        who.request("GET", { "last-event-id": id });
      await assertErrorResponse(404, await get(thief, lastEventId), "Bob");
      await assertNoEvents(await get(other, lastEventId), "Bob's own");
      const forged = lastEventId.replace(
        /.$/,
        (digit) => digit === "0" ? "1" : "0",
      );
      await assertNoEvents(await get(client, forged), "A forged ID");
      // The request is not affected.
      call.finish({ done: true });
      deepStrictEqual((await within(events.end(), "the end")).data, [
        resultOf(1),
      ]);
    },
  },
  {
    behaviour: "P9",
    name: "a client that has the complete response gets 204, and stops",
    run: async ({ create, within }) => {
      const sessions = await create(REPLAY);
      const client = await TestClient.begin(sessions);
      const { events, call } = await within(client.work(1), "a response");
      call.send(note(1));
      call.finish({ done: true });
      const [first, last] = await within(events.take(2), "all messages");
      const get = (id: string) =>
        client.request("GET", { "last-event-id": id });
      for (let count = 0; count < 2; count++) {
        const response = await within(get(last!.lastEventId), "an answer");
        strictEqual(response.status, 204);
        strictEqual(response.body, null);
      }
      const earlier = await within(get(first!.lastEventId), "an answer");
      strictEqual(earlier.status, 200, "A client that lacks it gets it");
      await earlier.body?.cancel();
    },
  },
  {
    behaviour: "P10",
    name: "the end of a session ends its requests",
    run: async ({ create, within }) => {
      for (const end of ["delete", "drain", "close"] as const) {
        const sessions = await create(REPLAY);
        const client = await TestClient.begin(sessions);
        const connected = await within(client.work(1), "a response");
        const cut = await within(client.work(2), "a response");
        const { lastEventId } = await within(cut.events.first(), "an ID");
        await cut.events.cancel();
        const signals = [connected.call.signal, cut.call.signal];
        if (end === "delete") strictEqual(await client.end(), 200);
        else if (end === "drain") await sessions.close({ drainMs: 20 });
        else await sessions.close();
        ok(
          signals.every(({ aborted }) => aborted),
          `${end} does not abort a request`,
        );
        await within(connected.events.end(), "the end");
        strictEqual(openRequestsOf(sessions), 0);
        const headers = { "last-event-id": lastEventId };
        const response = await client.request("GET", headers);
        await assertErrorResponse(404, response, `A GET after ${end}`);
      }
    },
  },
  {
    behaviour: "P10",
    name: "the requests of a session that expired are aborted",
    run: ({ create, within }) =>
      // After a stall this long, the session is idle.
      retryOnStall(MAX_AGE_MS * 0.8, async () => {
        const info = { idleTimeoutMs: MAX_AGE_MS };
        const sessions = await create({ ...REPLAY, info });
        const client = await TestClient.begin(sessions);
        const { call } = await within(client.work(1), "a response");
        strictEqual(call.signal.aborted, false);
        const stallMs = await pollUntil(() => call.signal.aborted);
        return [
          stallMs,
          () => ok(call.signal.aborted, "The request goes on"),
        ];
      }),
  },
];

/**
 * Expects that a response has no events of a request: it is refused, or has
 * only an error.
 */
async function assertNoEvents(response: Response, what: string): Promise<void> {
  if (response.status !== 200) {
    return void await assertErrorResponse(400, response, what);
  }
  const text = await response.text();
  ok(text.includes('"error"'), what);
  ok(!text.includes('"method"') && !text.includes('"result"'), what);
}

function note(number: number): object {
  return { method: "notifications/progress", params: { number } };
}

function resultOf(id: number): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: { done: true } });
}

function openRequestsOf(sessions: Sessions): number {
  return sessions.stats().openRequests;
}
