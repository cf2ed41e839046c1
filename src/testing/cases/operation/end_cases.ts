import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { EndTarget } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertErrorResponse } from "../../support/assertions.ts";
import { TestClient } from "../../support/test_client.ts";
import { Gate } from "../../support/test_subscriber.ts";
import { ENDPOINT, SESSION_HEADER } from "../../support/test_transport.ts";
import { beginEach, RecordedCalls } from "./begin_end_cases.ts";

/** `end`, on one node. */
export const endCases: readonly SessionsCase[] = [
  {
    behaviour: "O3",
    name: "nothing is left of a session that was ended",
    run: async ({ create, within, waitUntil }) => {
      const { calls, options } = new RecordedCalls();
      const sessions = await create({ ...options, streams: { replay: {} } });
      const client = await within(TestClient.begin(sessions), "a session");
      const other = await within(TestClient.begin(sessions), "a session");
      const { id } = client;
      const stream = await within(client.listen(), "a stream");
      const others = await within(other.listen(), "another stream");
      const { call, events } = await within(client.work(7), "a request");
      const uri = "file:///notes.md";
      await within(sessions.info.addSubscription(id, uri), "a subscription");
      strictEqual(await within(sessions.end({ session: id }), "end"), 1);
      strictEqual(await within(client.ping(), "a POST"), 404);
      await assertErrorResponse(
        404,
        await within(client.request("GET"), "a GET"),
        "A session that was ended",
      );
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
      strictEqual(call.signal.aborted, true, "An open request goes on");
      await within(events.end(), "the end of the open request");
      await waitUntil(() => sessions.stats().openRequests === 0, "no request");
      await within(rejects(sessions.info.getClientInfo(id)), "no metadata");
      deepStrictEqual(
        await within(sessions.info.getSubscriptions(uri), "no subscription"),
        [],
      );
      strictEqual(await within(sessions.streams.has(id), "no stream"), false);
      strictEqual(await within(sessions.end({ session: id }), "end"), 0);
      // The other one is not affected.
      strictEqual(await within(other.ping(), "a POST"), 200);
      await within(
        sessions.notify({ method: "notifications/note" }),
        "a notification",
      );
      await within(others.take(), "the notification");
      deepStrictEqual(
        calls.filter((call) => call.startsWith("end")),
        [`end ${id} ended`],
      );
    },
  },
  {
    behaviour: "O3",
    name: "a stream that opens while its session is ended does not stay",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await within(TestClient.begin(sessions), "a session");
      const { id } = client;
      // The guard has let the request pass, and the transport is not ready.
      const [reached, ready] = [new Gate(), new Gate()];
      const headers = { [SESSION_HEADER]: id, accept: "text/event-stream" };
      const response = sessions.guard(
        new Request(ENDPOINT, { headers }),
        async (request) => {
          reached.open();
          await ready.promise;
          return await client.transport.respond(request);
        },
      );
      await within(reached.promise, "the transport");
      strictEqual(await within(sessions.end({ session: id }), "end"), 1);
      ready.open();
      await assertErrorResponse(404, await within(response, "it"), "A GET");
      strictEqual(await within(sessions.streams.has(id), "no stream"), false);
    },
  },
  {
    behaviour: "O2",
    name: "the sessions of a principal are ended, and no others",
    run: async ({ create, within }) => {
      const { calls, options } = new RecordedCalls();
      const sessions = await create(options);
      const principals = ["alice", "bob", "alice", undefined, "", "alice2"];
      const clients = await beginEach(sessions, principals, within);
      const principal = "alice";
      strictEqual(await within(sessions.end({ principal }), "end"), 2);
      strictEqual(await within(sessions.end({ principal }), "end"), 0);
      strictEqual(await within(sessions.end({ principal: "x" }), "end"), 0);
      const statuses: number[] = [];
      for (const client of clients) {
        statuses.push(await within(client.ping(), "a POST"));
      }
      deepStrictEqual(statuses, [404, 200, 404, 200, 200, 200]);
      deepStrictEqual(
        calls.filter((call) => call.startsWith("end")).sort(),
        [`end ${clients[0]!.id} ended`, `end ${clients[2]!.id} ended`].sort(),
      );
    },
  },
  {
    behaviour: "O3",
    name: "an invalid target is refused, and nothing is ended",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await within(TestClient.begin(sessions), "a session");
      const targets: readonly unknown[] = [
        undefined,
        null,
        "alice",
        {},
        { principal: undefined },
        { principal: 1 },
        { session: [client.id] },
        { session: client.id, principal: "alice" },
        { sessions: [client.id] },
      ];
      for (const target of targets) {
        const ended = sessions.end(target as EndTarget);
        await within(
          rejects(ended, { code: "ERR_INVALID_ARGUMENT" }),
          "an error",
        );
      }
      strictEqual(await within(client.ping(), "a POST"), 200);
    },
  },
];
