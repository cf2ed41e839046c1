import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ResetReason } from "../../../contracts/options.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import type { ReceivedEvent } from "../../support/sse_parser.ts";
import { pollUntil, retryOnStall } from "../../support/timing.ts";
import {
  frame,
  TestClient,
  type TestEvents,
} from "../../support/test_client.ts";

const MAX_AGE_MS = 150;

/** Event IDs that cannot be resumed from, and how much is kept. */
export const sessionsResetCases: readonly SessionsCase[] = [
  {
    behaviour: "S15",
    name: "an unknown event ID is answered with a reset, not with a gap",
    run: async ({ create, within }) => {
      const resets: [id: string, reason: ResetReason][] = [];
      const sessions = await create({
        streams: { replay: {} },
        onReset: (id, reason) => resets.push([id, reason]),
      });
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      await sessions.streams.send(undefined, frame("first"));
      const [first] = await within(stream.take(), "an event");
      // Another server, or this one before it was restarted.
      const elsewhere = await create({ streams: { replay: {} } });
      const stranger = await TestClient.begin(elsewhere);
      const strange = await stranger.listen();
      await elsewhere.streams.send(undefined, frame("secret"));
      const [foreign] = await within(strange.take(), "an event");
      const ids: Record<string, ResetReason> = {
        [foreign!.lastEventId]: "unknown",
        "garbage": "unknown",
        "0": "unknown",
        "-1": "unknown",
        "__proto__": "unknown",
        [`x${first!.lastEventId}`]: "unknown",
        [`${first!.lastEventId} `.repeat(2)]: "unknown",
        ["9".repeat(5_000)]: "unknown",
      };
      // An event ID that looks valid, but was never assigned.
      const later = first!.lastEventId.replace(/\d+$/, "$&000000");
      if (later !== first!.lastEventId) ids[later] = "future";
      for (const [id, reason] of Object.entries(ids)) {
        const what = `a GET after ${JSON.stringify(id.slice(0, 60))}`;
        const again = await client.listen(id);
        const reset = await resetOf(again, within, what);
        deepStrictEqual(JSON.parse(reset.data), { reason }, what);
        deepStrictEqual(resets.splice(0), [[client.id, reason]], what);
        await sessions.streams.send(undefined, frame("live"));
        deepStrictEqual(await within(again.until("live"), what), [], what);
        // After the reset there is no gap either.
        await again.cancel();
        await sessions.streams.send([client.id], frame("missed"));
        const resumed = await client.listen(reset.lastEventId);
        await sessions.streams.send([client.id], frame("end"));
        deepStrictEqual(
          await within(resumed.until("end"), what),
          ["live", "missed"],
          what,
        );
      }
      const reasons = Object.values(ids);
      const future = reasons.filter((reason) => reason === "future").length;
      const unknown = reasons.length - future;
      const counts = { unknown, purged: 0, future };
      deepStrictEqual(sessions.stats().resets, counts);
    },
  },
  {
    behaviour: "S15",
    name: "an event ID of another session brings none of its events",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const clients = {
        a: await TestClient.begin(sessions),
        b: await TestClient.begin(sessions),
      };
      const streams = {
        a: await clients.a.listen(),
        b: await clients.b.listen(),
      };
      await sessions.streams.send([clients.a.id], frame("first of a"));
      await sessions.streams.send([clients.b.id], frame("first of b"));
      const [ofA] = await within(streams.a.take(), "an event");
      await streams.a.cancel();
      await streams.b.cancel();
      for (let count = 0; count < 10; count++) {
        await sessions.streams.send([clients.a.id], frame("for a alone"));
      }
      await sessions.streams.send([clients.b.id], frame("for b"));
      await sessions.streams.send(undefined, frame("for all"));
      // A transport that knows the session may have refused the ID.
      const stream = await clients.b.listen(ofA!.lastEventId);
      await sessions.streams.send([clients.b.id], frame("end"));
      const got = await within(stream.until("end"), "the end");
      if (got.length > 0 && got[0]!.includes("reason")) return;
      deepStrictEqual(got, ["first of b", "for b", "for all"]);
    },
  },
  {
    behaviour: "S15",
    name: "a session gets nothing from before it began",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const earlier = await TestClient.begin(sessions);
      const stream = await earlier.listen();
      await sessions.streams.send(undefined, frame("long ago"));
      const [event] = await within(stream.take(), "an event");
      for (let count = 0; count < 5; count++) {
        await sessions.streams.send(undefined, frame("before"));
      }
      for (const lastEventId of [event!.lastEventId, undefined, ""]) {
        const client = await TestClient.begin(sessions);
        await sessions.streams.send(undefined, frame("since"));
        const own = await client.listen(lastEventId);
        await sessions.streams.send(undefined, frame("end"));
        const got = await within(own.until("end"), "the end");
        ok(!got.includes("before"), `${lastEventId}: ${got}`);
        ok(!got.includes("long ago"), `${lastEventId}: ${got}`);
        if (lastEventId) deepStrictEqual(got.at(-1), "since");
      }
    },
  },
  {
    behaviour: "S17",
    name: "the replay log is bounded by events, by bytes and by age",
    run: async ({ create, within }) => {
      // Of a hundred events, ten to fifty may be kept.
      const limits = [
        { maxEvents: 20, maxBytes: Infinity, maxAgeMs: Infinity },
        { maxEvents: Infinity, maxBytes: 10_000, maxAgeMs: Infinity },
      ];
      const audiences = ["one", "two", "all"];
      for (const replay of limits) {
        for (const audience of audiences) {
          const sessions = await create({ streams: { replay } });
          const client = await TestClient.begin(sessions);
          const { id } = client;
          const ids = { one: [id], two: [id, "another"] }[audience];
          const stream = await client.listen();
          for (let index = 0; index < 100; index++) {
            await sessions.streams.send(ids, frame(`${index}`.padEnd(200)));
          }
          const events = await within(stream.take(100), "the events");
          const what = `for ${audience}, ${JSON.stringify(replay)}`;
          for (const point of [0, 40]) {
            const again = await client.listen(events[point]!.lastEventId);
            const reset = await resetOf(again, within, what);
            deepStrictEqual(JSON.parse(reset.data), { reason: "purged" }, what);
          }
          for (const point of [89, 98, 99]) {
            const again = await client.listen(events[point]!.lastEventId);
            await sessions.streams.send(ids, frame(`end ${point}`));
            const got = await within(again.until(`end ${point}`), what);
            const expected = events.slice(point + 1).map(({ data }) => data);
            deepStrictEqual(got.slice(0, expected.length), expected, what);
          }
        }
      }
    },
  },
  {
    behaviour: "S17",
    name: "stored events expire",
    run: ({ create, within }) =>
      // After a stall this long, every event is old.
      retryOnStall(MAX_AGE_MS * 0.8, async () => {
        const maxAgeMs = MAX_AGE_MS;
        const sessions = await create({ streams: { replay: { maxAgeMs } } });
        const client = await TestClient.begin(sessions);
        const stream = await client.listen();
        const sentAt = performance.now();
        for (const text of ["first", "second"]) {
          await sessions.streams.send([client.id], frame(text));
        }
        const [first, second] = await within(stream.take(2), "two events");
        let reset: ReceivedEvent | undefined;
        let takenMs = 0;
        await pollUntil(async () => {
          const again = await client.listen(first!.lastEventId);
          [reset] = await within(again.take(), "what comes after the first");
          takenMs = performance.now() - sentAt;
          return reset!.type === "reset";
        }, 20);
        strictEqual(reset?.type, "reset", `Not even after ${takenMs} ms`);
        deepStrictEqual(JSON.parse(reset.data), { reason: "purged" });
        ok(takenMs >= MAX_AGE_MS * 0.8, `After ${takenMs} ms already`);
        const newAt = performance.now();
        await sessions.streams.send([client.id], frame("third"));
        const resumed = await client.listen(second!.lastEventId);
        const [third] = await within(resumed.take(), "a new event");
        const pause = performance.now() - newAt;
        return [pause, () => strictEqual(third!.data, "third")];
      }),
  },
];

/** Expects that a stream starts with a reset. */
async function resetOf(
  stream: TestEvents,
  within: <Value>(promise: Promise<Value>, what: string) => Promise<Value>,
  what: string,
): Promise<ReceivedEvent> {
  const [event] = await within(stream.take(), `${what}: a reset`);
  strictEqual(event!.type, "reset", what);
  ok(event!.lastEventId, `${what}: the reset has no ID`);
  return event!;
}
