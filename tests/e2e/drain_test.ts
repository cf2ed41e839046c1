import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
} from "@std/assert";
import { describe, it } from "node:test";
import { pollUntil, retryOnStall } from "../../src/testing/support/timing.ts";
import { connectHttp, connectModern, summary } from "./support/clients.ts";
import { type EventStream, readEvents } from "./support/event_stream.ts";
import {
  assertRefused,
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { openSocket } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { until, within } from "./support/until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const WINDOW_MS = 600;
const RETRY_MS = 150;

for (const engine of engines) {
  describe(`Draining, on ${engine}`, () => {
    it("ends streams one after the other and tells clients when to reconnect", () =>
      // If the machine pauses for that long, many streams end at once.
      retryOnStall(WINDOW_MS / 4, async () => {
        await using server = await startGuarded(engine);
        const { sessions } = server;
        const streams = await openStreams(server, 20);
        const startedAt = performance.now();
        const endedAfter: number[] = [];
        for (const { ended } of streams) {
          void ended.then(() => endedAfter.push(performance.now() - startedAt));
        }
        let closedAfter: number | undefined;
        const closed = sessions.close({ drainMs: WINDOW_MS, retryMs: 1_234 })
          .then(() => closedAfter = performance.now() - startedAt);
        const pausedMs = pollUntil(() => closedAfter !== undefined);
        for (const stream of streams) {
          await until(
            () => stream.text().includes("retry"),
            "the retry event",
          );
          assertEquals(stream.events(), [{ retry: "1234" }]);
        }
        await until(() => endedAfter.length >= 5, "the first streams to end");
        const endedEarly = endedAfter.length;
        const { attached } = sessions.stats();
        await within(closed, "the drain to finish");
        for (const { ended } of streams) {
          assertEquals(await within(ended, "the stream to end"), true);
        }
        assertEquals(sessions.stats().attached, 0);
        return [await pausedMs, () => {
          const [first = 0, last = 0] = [endedAfter.at(0), endedAfter.at(-1)];
          const range = `streams ended between ${first} and ${last} ms.`;
          assert(endedEarly <= 15, `${endedEarly} of 20 ${range}`);
          assert(attached > 0);
          assertLess(closedAfter!, 2 * WINDOW_MS);
          assert(last - first >= WINDOW_MS / 2, `All ${range}`);
        }];
      }));

    it("accepts no new streams, but answers requests and delivers frames", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions, mcp } = server;
      await using alice = await connectHttp(httpUrl, sessions.streams);
      const late = await openStreams(server, 8);
      const id = await beginSession(httpUrl);
      const closed = sessions.close({ drainMs: 60_000 });
      for (const session of [id, alice.sessionId]) {
        const response = await sendRequest(httpUrl, {
          "mcp-session-id": session,
        });
        assertEquals(response.headers.get("retry-after"), "5");
        await assertRefused(response, 503);
      }
      await alice.client.ping();
      await alice.client.setLoggingLevel("error");
      assertEquals(await sessions.info.getLogLevel(alice.sessionId), "error");
      mcp.changed("tools");
      const last = late.at(-1)!;
      await until(() => last.text().includes(TOOLS_CHANGED), "the list change");
      // The drain is still in progress. Don't wait for the rest of it.
      assert(sessions.stats().attached > 0);
      await within(sessions.close(), "the sessions to close");
      await within(closed, "the drain to finish");
      assertEquals(server.reported, []);
    });

    it("official clients receive earlier frames and reconnect after the retry delay", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions, mcp } = server;
      await using alice = await connectHttp(httpUrl, sessions.streams, {
        reconnect: true,
      });
      await using carol = await connectModern(httpUrl);
      const subscription = await carol.client.listen({
        toolsListChanged: true,
      });
      mcp.changed("tools");
      const startedAt = performance.now();
      const closed = sessions.close({ drainMs: 100, retryMs: RETRY_MS });
      await within(closed, "the drain to finish");
      assertEquals(
        await within(subscription.closed, "the subscription to end"),
        "graceful",
      );
      for (const { notifications } of [alice, carol]) {
        await until(() => notifications.length > 0, "the list change");
        assertEquals(summary(notifications), [TOOLS_CHANGED]);
      }
      await until(
        () => alice.errors.some(({ message }) => /reconnect/.test(message)),
        "the client to reconnect and be refused",
      );
      // The client's own delay is 10 ms, and the drain ends a single stream
      // after 5 ms.
      assertGreaterOrEqual(performance.now() - startedAt, RETRY_MS);
    });

    it("the HTTP server can finish its requests afterwards", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions } = server;
      await using alice = await connectHttp(httpUrl, sessions.streams);
      const streams = await openStreams(server, 4);
      await within(sessions.close({ drainMs: 100 }), "the drain to finish");
      for (const { ended } of streams) assertEquals(await ended, true);
      await within(server.finish(), "the server to finish");
      await alice.client.close();
    });

    it("does not wait for a client that has stopped reading", async () => {
      await using server = await startGuarded(engine, {
        streams: { backlog: false },
      });
      const { httpUrl, sessions } = server;
      const id = await beginSession(httpUrl);
      const stalled = await openSocket(httpUrl, "GET", {
        "mcp-session-id": id,
      });
      await until(() => sessions.streams.has(id), "the stream to open");
      const [responsive] = await openStreams(server, 1);
      stalled.pause();
      const frame = `data: ${"x".repeat(1_000_000)}\n\n`;
      while (sessions.stats().queuedBytes < 4_000_000) {
        sessions.streams.send([id], frame);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const startedAt = performance.now();
      await within(sessions.close({ drainMs: 200 }), "the drain to finish");
      assertLess(performance.now() - startedAt, 1_000);
      assertEquals(await responsive!.ended, true);
      // The client still receives the bytes in the network's buffers. Then the
      // connection is aborted.
      stalled.resume();
      await within(stalled.closed, "the stalled connection to close");
      assertEquals(stalled.received().endsWith("\r\n0\r\n\r\n"), false);
      await within(server.finish(), "the server to finish");
    });
  });
}

/** Opens streams of new sessions, one after the other. */
async function openStreams(
  { httpUrl }: GuardedServer,
  count: number,
): Promise<EventStream[]> {
  const streams: EventStream[] = [];
  while (streams.length < count) {
    const id = await beginSession(httpUrl);
    const response = await sendRequest(httpUrl, { "mcp-session-id": id });
    streams.push(await readEvents(response));
  }
  return streams;
}
