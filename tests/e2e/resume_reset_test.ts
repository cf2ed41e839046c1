import type { ResetReason } from "@crossmcp/session-manager";
import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, summary } from "./support/clients.ts";
import { type EventStream, readEvents } from "./support/event_stream.ts";
import {
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { engines } from "./support/serve.ts";
import { until, within } from "./support/until.ts";
import { resetCounts } from "../support/empty_stats.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";
const POSITION = /^[0-9a-f]{16}-\d+$/;

for (const engine of engines) {
  describe(`Resets, on ${engine}`, () => {
    it("S15 H4 an official client that was away for too long gets a reset and can continue", async () => {
      const resets: [id: string, reason: string][] = [];
      await using server = await startGuarded(engine, {
        streams: { replay: { maxEvents: 3 } },
        onReset: (id, reason) => {
          resets.push([id, reason]);
          server.sessions.streams.send([id], frameOf(TOOLS_CHANGED));
        },
      });
      const { httpUrl, sessions } = server;
      await using alice = await connectHttp(httpUrl, sessions.streams, {
        reconnect: true,
      });
      const { sessionId, notifications } = alice;
      sessions.streams.send([sessionId], frameOf(UPDATED));
      await until(() => notifications.length === 1, "the first update");
      alice.breakStream();
      for (let missed = 0; missed < 10; missed++) {
        sessions.streams.send([sessionId], frameOf(UPDATED));
      }
      await until(() => resets.length > 0, "the reset");
      await until(() => notifications.length === 2, "the list change");
      sessions.streams.send([sessionId], frameOf(UPDATED));
      await until(() => notifications.length === 3, "the next update");
      assertEquals(summary(notifications), [UPDATED, TOOLS_CHANGED, UPDATED]);
      assertEquals(resets, [[sessionId, "purged"]]);

      // The client knows its new position. It misses nothing after a short
      // absence.
      alice.breakStream();
      for (let missed = 0; missed < 3; missed++) {
        sessions.streams.send([sessionId], frameOf(UPDATED));
      }
      await until(() => notifications.length === 6, "the missed updates");
      assertEquals(sessions.stats().resets, resetCounts({ purged: 1 }));
      assertEquals(resets.length, 1);
    });

    it("S17 events that are too old are not replayed", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: { maxAgeMs: 60 } },
      });
      const id = await beginSession(server.httpUrl);
      const first = await open(server, id);
      server.sessions.streams.send([id], frameOf(UPDATED));
      await until(() => first.events().length === 1, "the first update");
      const [{ id: position }] = first.events() as [{ id: string }];
      await first.cancel();
      server.sessions.streams.send([id], frameOf(UPDATED));
      // Events don't age while the process is suspended.
      await until(async () => {
        const stream = await open(server, id, position);
        const [event] = stream.events();
        await stream.cancel();
        return event?.event === "reset";
      }, "the reset");
      await assertReset(server, id, position, "purged");
    });

    it("S15 an unknown event ID is answered with a reset", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      await using other = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { streams } = server.sessions;
      const alice = await beginSession(server.httpUrl);
      const bob = await beginSession(server.httpUrl);
      streams.send([bob], frameOf("for bob only"));
      streams.send([alice], frameOf(UPDATED));
      const position = streams.latestEventId!;
      const [epoch, offset] = position.split("-");
      for (
        const hostile of [
          "garbage",
          "x".repeat(8_000),
          "caf\xE9",
          "0",
          "-1",
          epoch!,
          `${epoch}-`,
          `${epoch}--1`,
          `${epoch}-0x1`,
          `${epoch}-1e0`,
          `${epoch}-01`,
          `${epoch}-99999999999999999999999`,
          `${epoch}-${offset},${epoch}-${offset}`,
          `${epoch!.toUpperCase()}x-${offset}`,
          "__proto__",
          // The event ID of another server.
          other.sessions.streams.latestEventId!,
        ]
      ) await assertReset(server, alice, hostile, "unknown");
      await assertReset(server, alice, `${epoch}-3`, "future");
      await assertReset(server, alice, `${epoch}-9007199254740991`, "future");
    });

    it("S15 the last event ID of another session reveals none of its events", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { streams } = server.sessions;
      const alice = await beginSession(server.httpUrl);
      streams.send(undefined, frameOf("before bob"));
      const bob = await beginSession(server.httpUrl);
      const positions = [streams.latestEventId!];
      for (
        const targets of [[alice], [bob], [alice, bob], undefined, [alice]]
      ) {
        streams.send(targets, frameOf(`for ${targets ?? "everyone"}`));
        positions.push(streams.latestEventId!);
      }
      const start = positions[0]!.replace(/-\d+$/, "-0");
      const own = [`for ${bob}`, `for ${alice},${bob}`, "for everyone"];
      for (
        const [position, expected] of [
          [start, own],
          [positions[0], own],
          [positions[1], own],
          [positions[2], own.slice(1)],
          [positions[4], []],
          [positions[5], []],
        ] as const
      ) {
        const stream = await open(server, bob, position);
        assertEquals(methodsOf(stream), expected);
        await streams.delete(bob);
        assertEquals(await within(stream.ended, "the stream to end"), true);
        assertEquals(methodsOf(stream), expected);
      }
    });
  });
}

/** Asserts that a stream resumed with the given event ID starts with a reset. */
async function assertReset(
  server: GuardedServer,
  session: string,
  lastEventId: string,
  reason: ResetReason,
): Promise<void> {
  const { streams } = server.sessions;
  const before = server.sessions.stats();
  const stream = await open(server, session, lastEventId);
  const [reset, ...more] = stream.events();
  assertEquals(reset?.event, "reset");
  assertEquals(JSON.parse(reset?.data ?? "null"), { reason });
  assertEquals(reset?.id, streams.latestEventId);
  assertMatch(reset?.id ?? "", POSITION);
  assertEquals(more, []);
  const { replayed, resets } = server.sessions.stats();
  assertEquals(replayed, before.replayed);
  assertEquals(resets, {
    ...before.resets,
    [reason]: before.resets[reason] + 1,
  });
  await streams.delete(session);
  assertEquals(await within(stream.ended, "the stream to end"), true);
}

async function open(
  { httpUrl }: GuardedServer,
  session: string,
  lastEventId?: string,
): Promise<EventStream> {
  const response = await sendRequest(httpUrl, {
    "mcp-session-id": session,
    ...lastEventId !== undefined && { "last-event-id": lastEventId },
  });
  assertEquals(response.status, 200);
  return await readEvents(response);
}

function frameOf(method: string): string {
  return `event: message\ndata: ${
    JSON.stringify({ jsonrpc: "2.0", method })
  }\n\n`;
}

function methodsOf(stream: EventStream): string[] {
  // Events without data only carry an event ID.
  return stream.events().filter(({ data }) => data !== "")
    .map(({ data }) => JSON.parse(data!).method);
}
