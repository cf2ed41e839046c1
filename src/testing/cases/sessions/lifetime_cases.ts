import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { EvictionReason } from "../../../contracts/options.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import {
  assertErrorResponse,
  assertThrowsOrRejects,
} from "../../support/assertions.ts";
import {
  inBackground,
  nextTurn,
  pollUntil,
  retryOnStall,
} from "../../support/timing.ts";
import { frame, TestClient } from "../../support/test_client.ts";
import { TestSubscriber } from "../../support/test_subscriber.ts";

const IDLE_MS = 120;
const DRAIN_MS = 200;

/** How sessions end, by themselves and all at once. */
export const sessionsLifetimeCases: readonly SessionsCase[] = [
  {
    behaviour: "I8",
    name: "a session with an open stream is in use, and others expire",
    run: ({ create }) =>
      // After a stall this long, every session is idle.
      retryOnStall(IDLE_MS * 0.8, async () => {
        const sessions = await create({ info: { idleTimeoutMs: IDLE_MS } });
        const open = await TestClient.begin(sessions);
        const used = await TestClient.begin(sessions);
        const idle = await TestClient.begin(sessions);
        for (const { id } of [open, used, idle]) {
          await sessions.info.addSubscription(id, "file:///shared");
        }
        const stream = await open.listen();
        const pause = await pollUntil(async (elapsed) => {
          await used.notify();
          return elapsed > 2 * IDLE_MS && sessions.stats().expired > 0;
        });
        return [pause, async () => {
          strictEqual(sessions.stats().expired, 1);
          strictEqual(await used.ping(), 200);
          await assertErrorResponse(
            404,
            await idle.request("GET"),
            "An idle session",
          );
          strictEqual(await idle.ping(), 404);
          strictEqual(await open.ping(), 200);
          deepStrictEqual(
            (await sessions.info.getSubscriptions("file:///shared")).sort(),
            [open.id, used.id].sort(),
          );
          const info = await sessions.info.getClientInfo(open.id);
          strictEqual(info?.name, "test client");
          // Without its stream it is like any other.
          await stream.cancel();
          await pollUntil(() => sessions.stats().expired === 3);
          strictEqual(await open.ping(), 404);
        }];
      }),
  },
  {
    behaviour: "S10",
    name: "a reader that was evicted can resume",
    run: async ({ create, within }) => {
      const evicted: [id: string, reason: EvictionReason][] = [];
      const sessions = await create({
        streams: { backlog: { maxBytes: 1_000 }, replay: {} },
        onEvict: (id, reason) => evicted.push([id, reason]),
      });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      strictEqual(sessions.stats().attached, 0);
      const stream = await client.listen();
      const others = await other.listen();
      strictEqual(sessions.stats().attached, 2);
      const names = Array.from({ length: 30 }, (_, index) => `${index}`);
      const reading = inBackground(others.take(names.length));
      let queuedBytes = 0;
      for (const [index, name] of names.entries()) {
        await sessions.streams.send(undefined, frame(name.padStart(80)));
        await nextTurn();
        queuedBytes = Math.max(queuedBytes, sessions.stats().queuedBytes);
        if (index > 0) continue;
        await within(stream.take(), "the first event");
      }
      const events = await within(reading, "the other's events");
      deepStrictEqual(evicted, [[client.id, "bytes"]]);
      // Both streams count, and the other one may have just been written to.
      ok(queuedBytes > 500 && queuedBytes <= 2_000, `${queuedBytes} bytes`);
      const stats = sessions.stats();
      deepStrictEqual(stats.evicted, { bytes: 1, age: 0 });
      strictEqual(stats.attached, 1);
      strictEqual(stats.queuedBytes, 0);
      const { ended } = await within(stream.end(), "the end");
      strictEqual(ended, "errored");
      const again = await client.listen(events[0]!.lastEventId);
      const rest = await within(again.take(names.length - 1), "the rest");
      deepStrictEqual(
        rest.map(({ data }) => data.trim()),
        names.slice(1),
      );
      const { delivered, replayed } = sessions.stats();
      // One received all, the other some; replayed events do not count.
      ok(delivered > 30 && delivered < 60, `${delivered} were delivered`);
      strictEqual(replayed, names.length - 1);
    },
  },
  {
    behaviour: "S13",
    name: "close ends everything, and nothing begins after it",
    run: async ({ create, within }) => {
      const sessions = await create({ streams: { replay: {} } });
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      const subscriber = new TestSubscriber();
      const filter = { toolsListChanged: true };
      await subscriber.subscribe(sessions.subscriptions, 1, filter);
      await sessions.streams.send(undefined, frame("last words"));
      await within(
        Promise.all([sessions.close(), sessions.close()]),
        "closing twice at once",
      );
      await within(sessions.close(), "closing again");
      await subscriber.got("acknowledge", "close: closed");
      deepStrictEqual(await within(stream.end(), "the end"), {
        ended: "closed",
        data: ["last words"],
      });
      strictEqual(sessions.stats().attached, 0);
      await assertErrorResponse(
        404,
        await client.request("GET"),
        "A GET after close",
      );
      const late = new TestClient(sessions);
      await assertErrorResponse(
        503,
        await late.initialize(),
        "initialize after close",
      );
      await assertThrowsOrRejects(
        async () => await sessions.info.setLogLevel("late", "info"),
        "ClosedError",
        "A write after close",
      );
    },
  },
  {
    behaviour: "S13",
    name: "disposing of sessions closes them",
    run: async ({ create, within }) => {
      const sessions = await create();
      const stream = await (await TestClient.begin(sessions)).listen();
      await within(
        Promise.resolve(sessions[Symbol.asyncDispose]()),
        "disposing of them",
      );
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
    },
  },
  {
    behaviour: "S13",
    name: "a drain ends one stream after the other",
    run: ({ create, within }) =>
      // After a stall this long, a drain has to end several streams together.
      retryOnStall(DRAIN_MS / 3, async () => {
        const sessions = await create();
        const clients: TestClient[] = [];
        for (let count = 0; count < 10; count++) {
          clients.push(await TestClient.begin(sessions));
        }
        const streams = await Promise.all(clients.map((each) => each.listen()));
        const stalled = await TestClient.begin(sessions);
        await stalled.listen();
        const start = performance.now();
        const endedAt: number[] = [];
        const ends = streams.map(async (stream, index) => {
          const end = await stream.end();
          // The client of the first one ends its session itself.
          if (index > 0) endedAt.push(performance.now() - start);
          return end;
        });
        let tookMs: number | undefined;
        const closing = inBackground(
          sessions.close({ drainMs: DRAIN_MS, retryMs: 1_234 })
            .then(() => tookMs = performance.now() - start),
        );
        const pausing = pollUntil(() => tookMs !== undefined);
        const sending = inBackground(
          sessions.streams.send(undefined, frame("meanwhile")),
        );
        // GET requests are asked to try again later, and everything else is
        // answered.
        const last = clients.at(-1)!;
        const get = await within(last.request("GET"), "a GET");
        await within(sending, "a text for all");
        await sessions.streams.send([last.id], frame("later"));
        const setUpMs = performance.now() - start;
        const statuses = [await clients[0]!.ping(), await clients[0]!.end()];
        await closing;
        return [Math.max(setUpMs, await pausing), async () => {
          await assertErrorResponse(503, get, "A GET while draining");
          deepStrictEqual(statuses, [200, 200]);
          // This takes time, and more on a busy machine.
          ok(tookMs! >= DRAIN_MS / 2, `The drain took only ${tookMs} ms.`);
          const found = await within(Promise.all(ends), "the ends");
          for (const [index, end] of found.entries()) {
            const isLast = clients[index] === last;
            const texts = isLast ? ["meanwhile", "later"] : ["meanwhile"];
            deepStrictEqual(end, { ended: "closed", data: texts });
          }
          for (const { retry } of streams) strictEqual(retry, 1_234);
          const spread = Math.max(...endedAt) - Math.min(...endedAt);
          ok(spread >= DRAIN_MS / 4, `All ended within ${spread} ms.`);
          strictEqual(sessions.stats().attached, 0);
        }];
      }),
  },
  {
    behaviour: "S13",
    name: "a drain can be cut short",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const stream = await client.listen();
      const ending = inBackground(stream.end());
      // Its first step must not come before the timeout of the suite.
      const draining = inBackground(sessions.close({ drainMs: 3_600_000 }));
      await nextTurn();
      await within(sessions.close(), "closing at once");
      await within(draining, "the drain");
      strictEqual((await within(ending, "the end")).ended, "closed");
    },
  },
];
