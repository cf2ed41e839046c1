import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertNoResets } from "../../support/assertions.ts";
import { frame, TestClient } from "../../support/test_client.ts";

/** Two transports of one server. */
export const sessionsTransportCases: readonly SessionsCase[] = [
  {
    behaviour: "S19",
    name: "a broadcast through a view reaches the streams of its transport",
    run: async ({ create, within }) => {
      const sessions = await create();
      const plain = await TestClient.begin(sessions);
      const a = await TestClient.begin(sessions, { transport: "a" });
      const b = await TestClient.begin(sessions, { transport: "b" });
      const streams = [
        await within(plain.listen(), "a stream without a view"),
        await within(a.listen(), "a stream of a"),
        await within(b.listen(), "a stream of b"),
      ];
      for (const text of ["one", "two"]) {
        // As tmcp's server: one broadcast through each transport.
        await sessions.forTransport("a").streams.send(undefined, frame(text));
        await sessions.forTransport("b").streams.send(undefined, frame(text));
      }
      await sessions.forTransport("c").streams.send(undefined, frame("nobody"));
      await sessions.streams.send(undefined, frame("everyone"));
      const expected = ["one", "two", "everyone"];
      for (const [index, stream] of streams.entries()) {
        const own = index === 0 ? ["everyone"] : expected;
        const got = await within(stream.take(own.length), "the broadcasts");
        deepStrictEqual(got.map(({ data }) => data), own);
      }
    },
  },
  {
    behaviour: "S19",
    name: "everything but broadcasts is shared by the views",
    run: async ({ create, within }) => {
      const sessions = await create();
      const a = sessions.forTransport("a");
      const b = sessions.forTransport("b");
      const client = await TestClient.begin(sessions, { transport: "a" });
      const stream = await within(client.listen(), "a stream");
      for (const { streams } of [a, b, sessions]) {
        ok(await streams.has(client.id), "A view does not know a session");
        await streams.send([client.id], frame("for you"));
        await streams.send([], frame("for nobody"));
      }
      const got = await within(stream.take(3), "the messages");
      deepStrictEqual(got.map(({ data }) => data), Array(3).fill("for you"));
      await b.info.setLogLevel(client.id, "warning");
      strictEqual(await a.info.getLogLevel(client.id), "warning");
      strictEqual(b.subscriptions, sessions.subscriptions);
      strictEqual(sessions.stats().attached, 1);
      await b.streams.delete(client.id);
      deepStrictEqual(await within(stream.end(), "the end"), {
        ended: "closed",
        data: [],
      });
      strictEqual(await a.streams.has(client.id), false);
    },
  },
  {
    behaviour: "S19",
    name: "a client that reconnects gets what its transport has sent meanwhile",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const views = ["a", "b"].map((name) => sessions.forTransport(name));
      const client = await TestClient.begin(sessions, { transport: "a" });
      const stream = await within(client.listen(), "a stream");
      await views[0]!.streams.send(undefined, frame("before"));
      const [event] = await within(stream.take(), "an event");
      await stream.cancel();
      const missed = ["one", "two", "three"];
      for (const text of missed) {
        for (const { streams } of views) {
          await streams.send(undefined, frame(text));
        }
      }
      await sessions.streams.send(undefined, frame("everyone"));
      const again = await within(client.listen(event!.lastEventId), "a stream");
      await views[1]!.streams.send(undefined, frame("of the other one"));
      await views[0]!.streams.send(undefined, frame("after"));
      const expected = [...missed, "everyone", "after"];
      const got = await within(again.take(expected.length), "what was missed");
      deepStrictEqual(got.map(({ data }) => data), expected);
      assertNoResets(sessions);
    },
  },
  {
    behaviour: "S19",
    name: "trimmed broadcasts of a transport lead to a reset, never to a gap",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: { maxEvents: 3 } } });
      const { streams } = sessions.forTransport("a");
      const client = await TestClient.begin(sessions, { transport: "a" });
      const stream = await within(client.listen(), "a stream");
      await streams.send(undefined, frame("before"));
      const [event] = await within(stream.take(), "an event");
      await stream.cancel();
      for (let number = 1; number <= 4; number++) {
        await streams.send(undefined, frame(`${number}`));
      }
      const again = await within(client.listen(event!.lastEventId), "a stream");
      const [reset] = await within(again.take(), "a reset");
      strictEqual(reset!.type, "reset");
    },
  },
  {
    behaviour: "S19",
    name: "the name of a transport must be a string that is not empty",
    run: async ({ create }) => {
      const sessions = await create();
      for (const name of ["", undefined, null, 1, {}]) {
        throws(() => sessions.forTransport(name as string), {
          name: "InvalidArgumentError",
          code: "ERR_INVALID_ARGUMENT",
        });
      }
    },
  },
  {
    behaviour: "S19",
    name: "transports that share the plain managers are reported once",
    run: async ({ create, within }) => {
      const reports: Error[] = [];
      const onError = (error: Error) => reports.push(error);
      for (const hasViews of [false, true]) {
        const sessions = await create({ onError });
        const transport = hasViews ? "http" : undefined;
        for (let round = 0; round < 2; round++) {
          const client = await TestClient.begin(sessions, { transport });
          await within(client.listen(), "a stream");
          // As the transport of 2024-11-05, whose stream begins its session.
          const headers = { "content-type": "text/event-stream" };
          const response = new Response("event: endpoint\ndata: /\n\n", {
            headers,
          });
          const request = new Request("http://localhost/sse");
          await within(sessions.guard(request, () => response), "a response");
        }
        strictEqual(reports.length, 1, "It is not reported once");
      }
      ok(/forTransport/.test(reports[0]!.message), "No remedy is named");
    },
  },
];
