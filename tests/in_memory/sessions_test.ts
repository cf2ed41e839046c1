import {
  ClosedError,
  DeliveryError,
  InMemorySessions,
  InvalidArgumentError,
  SessionLimitError,
} from "@crossmcp/session-manager";
import { testSessions } from "@crossmcp/session-manager/testing";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openStream } from "../support/streams.ts";
import { EMPTY_STATS } from "../support/empty_stats.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

describe("InMemorySessions", () => {
  testSessions({
    test: it,
    create: (options) => new InMemorySessions(options),
  });

  it("S13 closes streams and subscriptions, and rejects new ones", async () => {
    const sessions = new InMemorySessions({
      subscriptions: { closeTimeoutMs: 50 },
    });
    const stream = openStream();
    sessions.streams.create("a", stream.controller);
    await sessions.info.setLogLevel("a", "info");
    const closed: string[] = [];
    for (const id of [1, 2]) {
      await sessions.subscriptions.create(
        { id, origin: "o", filters: { toolsListChanged: true } },
        {
          acknowledge: () => {},
          send: () => id === 1 ? undefined : new Promise(() => {}),
          close: (reason) => void closed.push(`${id} ${reason}`),
        },
      );
    }
    void sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
    });
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions[Symbol.asyncDispose]();
    assertEquals(closed, ["1 closed", "2 closed"]);
    assertEquals((await stream.reader.read()).done, true);
    assertThrows(
      () => sessions.streams.create("b", openStream().controller),
      ClosedError,
    );
    await assertRejects(async () =>
      await sessions.info.setLogLevel("b", "info")
    );
  });

  it("passes its options to the managers", async () => {
    const errors: Error[] = [];
    const sessions = new InMemorySessions({
      streams: { maxSessions: 1 },
      onError: (error) => errors.push(error),
    });
    const stream = openStream();
    sessions.streams.create("a", stream.controller);
    const error = assertThrows(
      () => sessions.streams.create("b", openStream().controller),
      SessionLimitError,
    );
    assertEquals(error.code, "ERR_SESSION_LIMIT");
    assertEquals(error.maxSessions, 1);
    stream.controller.close();
    sessions.streams.send(undefined, "x");
    assertInstanceOf(errors[0], DeliveryError);
    await sessions.close();
  });

  it("rejects invalid options and names them", () => {
    for (
      const [options, argument] of [
        [7, "options"],
        [{ streams: 7 }, "streams"],
        [{ streams: { maxSessions: -1 } }, "streams.maxSessions"],
        [{ streams: { backlog: true } }, "streams.backlog"],
        [{ streams: { backlog: { maxBytes: 0 } } }, "streams.backlog.maxBytes"],
        [{ streams: { backlog: { maxAgeMs: 0 } } }, "streams.backlog.maxAgeMs"],
        [{ streams: { keepAliveMs: true } }, "streams.keepAliveMs"],
        [{ streams: { coalesce: 1 } }, "streams.coalesce"],
        [{ streams: { replay: true } }, "streams.replay"],
        [{ streams: { replay: { maxEvents: 0 } } }, "streams.replay.maxEvents"],
        [{ streams: { replay: { maxBytes: -1 } } }, "streams.replay.maxBytes"],
        [{ streams: { replay: { maxAgeMs: 0 } } }, "streams.replay.maxAgeMs"],
        [{ info: null }, "info"],
        [{ info: { idleTimeoutMs: 0 } }, "info.idleTimeoutMs"],
        [{ info: { maxSessions: 0.5 } }, "info.maxSessions"],
        [{ subscriptions: null }, "subscriptions"],
        [
          { subscriptions: { closeTimeoutMs: 0 } },
          "subscriptions.closeTimeoutMs",
        ],
        [{ subscriptions: { maxAgeMs: 0 } }, "subscriptions.maxAgeMs"],
        [{ onError: {} }, "onError"],
        [{ onEvict: "log" }, "onEvict"],
        [{ onReset: null }, "onReset"],
      ] as const
    ) {
      const error = assertThrows(
        () => new InMemorySessions(options as never),
        InvalidArgumentError,
        `"${argument}" must be`,
      );
      assertEquals(error.argument, argument);
    }
  });

  it("stats covers all of its managers", async () => {
    const sessions = new InMemorySessions({ info: { idleTimeoutMs: 40 } });
    assertEquals(sessions.stats(), EMPTY_STATS);
    await sessions.info.setLogLevel("a", "info");
    await sessions.info.setLogLevel("b", "info");
    const stream = openStream();
    sessions.streams.create("a", stream.controller);
    sessions.streams.send(undefined, "four");
    for (let attempts = 500; attempts > 0; attempts--) {
      if (sessions.stats().expired > 0) break;
      await delay(5);
    }
    const { attached, delivered, queuedBytes, expired } = sessions.stats();
    assertEquals([attached, delivered, queuedBytes, expired], [1, 1, 4, 1]);
    assertEquals(await sessions.info.getLogLevel("a"), "info");
    await sessions.close();
  });

  it("rejects invalid options of guard and close", async () => {
    const sessions = new InMemorySessions();
    const stream = openStream();
    sessions.streams.create("a", stream.controller);
    for (const principal of [7, null, {}]) {
      const guarded = sessions.guard(
        new Request("http://localhost/mcp"),
        () => new Response(),
        { principal: principal as never },
      );
      const error = await assertRejects(() => guarded, InvalidArgumentError);
      assertEquals(error.argument, "principal");
    }
    const closed = sessions.close({ drainMs: -1 });
    const error = await assertRejects(() => closed, InvalidArgumentError);
    assertEquals(error.argument, "drainMs");
    assertEquals(await sessions.streams.has("a"), true);
    await sessions.close();
  });

  it("guard responds to requests while draining and rejects them afterwards", async () => {
    const sessions = new InMemorySessions();
    sessions.streams.create("a", openStream().controller);
    sessionRegistryOf(sessions.info).register("a", {
      principal: undefined,
      startEventId: undefined,
    });
    const requestStatus = async (method: string, id?: string) => {
      const headers: HeadersInit = id === undefined
        ? {}
        : { "mcp-session-id": id };
      const request = new Request("http://localhost/mcp", { method, headers });
      const handler = () =>
        new Response(null, { headers: { "mcp-session-id": id ?? "new" } });
      return (await sessions.guard(request, handler)).status;
    };
    const closing = sessions.close({ drainMs: 40 });
    assertEquals(await requestStatus("GET", "a"), 503);
    assertEquals(await requestStatus("POST", "a"), 200);
    assertEquals(await requestStatus("DELETE", "a"), 200);
    await closing;
    for (const method of ["GET", "POST", "DELETE"]) {
      assertEquals(await requestStatus(method, "a"), 404);
    }
    assertEquals(await requestStatus("POST"), 503);
    assertEquals(await requestStatus("OPTIONS"), 200);
  });
});
