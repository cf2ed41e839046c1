import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertNoResets } from "../../support/assertions.ts";
import { inBackground, nextTurn } from "../../support/timing.ts";
import { frame, TestClient } from "../../support/test_client.ts";

const COUNT = 1_000;

/** Clients that disconnect and reconnect. */
export const sessionsResumeCases: readonly SessionsCase[] = [
  {
    behaviour: "H4",
    name:
      "a client that reconnects continues after the last event that it received",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      await sessions.streams.send([client.id], frame("one"));
      const [one] = await within(stream.take(), "an event");
      await stream.cancel();
      await sessions.streams.send([client.id], frame("two"));
      await sessions.streams.send(undefined, frame("three"));
      const again = await client.listen(one!.lastEventId);
      await sessions.streams.send(undefined, frame("four"));
      const missed = await within(again.take(3), "what was missed, and more");
      deepStrictEqual(
        missed.map(({ type, data }) => `${type} ${data}`),
        ["message two", "message three", "message four"],
      );
      strictEqual(sessions.stats().replayed, 2);
      assertNoResets(sessions);
    },
  },
  {
    behaviour: "S14",
    name: "a client that disconnects after every event misses none",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      const send = sender(sessions, client.id, other.id);
      const got: string[] = [];
      let stream = await client.listen();
      let lastEventId: string | undefined;
      const take = async (count: number) => {
        for (
          const event of await within(stream.take(count), `event ${got.length}`)
        ) {
          got.push(event.data);
          ok(event.lastEventId, "An event has no ID");
          lastEventId = event.lastEventId;
        }
      };
      const back = async () => {
        stream = await client.listen(lastEventId);
      };
      await send(1);
      await take(1);
      for (let round = 0; got.length < COUNT; round++) {
        switch (round % 5) {
          case 0: // It is connected.
            await send(1);
            break;
          case 1: // It is disconnected.
            await stream.cancel();
            await send(1);
            await back();
            break;
          case 2: // It is disconnected for longer, and leaves after the first of three.
            await stream.cancel();
            await send(3);
            await back();
            break;
          case 3: // The server does not notice that it has left.
            await send(2);
            await back();
            break;
          case 4: { // It is just reconnecting.
            const listening = back();
            await send(1);
            await listening;
          }
        }
        await take(1);
        if (round % 10 === 9) await take(send.count - got.length);
        // Other sessions get events as well.
        if (round % 20 === 19) await nextTurn();
      }
      await take(send.count - got.length);
      deepStrictEqual(got, got.map((_, index) => `${index}`));
    },
  },
  {
    behaviour: "S14",
    name: "a stream can be resumed after any of its events",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      const send = sender(sessions, client.id, other.id);
      const live = await client.listen();
      while (send.count < COUNT) await send(1 + send.count % 3);
      const events = await within(live.take(send.count), "1,000 events");
      const all = events.map(({ data }) => data);
      deepStrictEqual(all, all.map((_, index) => `${index}`));
      strictEqual(
        new Set(events.map((event) => event.lastEventId)).size,
        all.length,
      );
      const last = all.length - 1;
      for (const point of [0, 1, 2, 3, COUNT / 2, last - 2, last - 1, last]) {
        const stream = await client.listen(events[point]!.lastEventId);
        await send(1);
        const rest = await within(
          stream.take(send.count - point - 1),
          `what comes after event ${point}`,
        );
        deepStrictEqual(
          rest.map(({ data }) => data),
          Array.from(rest, (_, index) => `${point + 1 + index}`),
        );
      }
    },
  },
  {
    behaviour: "S14",
    name: "a client gets an event ID at once, each time it connects",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      for (const version of ["2025-03-26", "2025-06-18", "2025-11-25"]) {
        const headers = { "mcp-protocol-version": version };
        const client = await TestClient.begin(sessions, { headers });
        await sessions.streams.send(undefined, frame("before"));
        let lastEventId: string | undefined;
        // It disconnects before it received anything else.
        for (let round = 0; round < 3; round++) {
          const stream = await client.listen(lastEventId);
          const position = await within(stream.first(), "its position");
          strictEqual(position.data, "");
          ok(position.lastEventId, "The first event has no ID");
          // Earlier clients take an empty message for a broken one.
          const isKnown = version >= "2025-11-25";
          ok(isKnown || position.type !== "message", version);
          ({ lastEventId } = position);
          await stream.cancel();
          await sessions.streams.send([client.id], frame(`missed ${round}`));
        }
        const again = await client.listen(lastEventId);
        await sessions.streams.send([client.id], frame("live"));
        deepStrictEqual(
          await within(again.until("live"), "live"),
          ["missed 0", "missed 1", "missed 2"],
        );
      }
    },
  },
  {
    behaviour: "S16",
    name: "events of one turn keep their order, and are replayed once",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      await sessions.streams.send([client.id], frame("first"));
      const [first] = await within(stream.take(), "an event");
      await stream.cancel();
      const names = Array.from({ length: 100 }, (_, index) => `${index}`);
      // All within the same turn and the same millisecond.
      const sent = names.map((name, index) =>
        inBackground(
          sessions.streams.send(
            index % 2 ? undefined : [client.id],
            frame(name),
          ),
        )
      );
      await within(Promise.all(sent), "the sends");
      const again = await client.listen(first!.lastEventId);
      const missed = await within(again.take(100), "what was missed");
      deepStrictEqual(missed.map(({ data }) => data), names);
      const { lastEventId } = missed.at(-1)!;
      for (let round = 0; round < 2; round++) {
        const idle = await client.listen(lastEventId);
        await idle.cancel();
      }
      const last = await client.listen(lastEventId);
      await sessions.streams.send(undefined, frame("live"));
      deepStrictEqual(await within(last.until("live"), "an event"), []);
      // This removed nothing from the log: an older event ID gets everything.
      const twice = await client.listen(first!.lastEventId);
      await sessions.streams.send(undefined, frame("end"));
      deepStrictEqual(
        await within(twice.until("end"), "everything again"),
        [...names, "live"],
      );
    },
  },
];

interface Sender {
  /** Sends some numbered events at once, and another one to another session. */
  (events: number): Promise<void>;
  /** How many numbered events were sent. */
  count: number;
}

function sender(sessions: Sessions, id: string, otherId: string): Sender {
  const send = async (events: number) => {
    let text = "";
    const isForAll = send.count % 2 === 0;
    for (let left = events; left > 0; left--) text += frame(`${send.count++}`);
    await sessions.streams.send([otherId], frame("for the other"));
    await sessions.streams.send(isForAll ? undefined : [id], text);
  };
  send.count = 0;
  return send;
}
