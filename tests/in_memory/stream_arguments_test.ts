import {
  InMemoryStreamSessionManager,
  InvalidArgumentError,
} from "@crossmcp/session-manager";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { openStream } from "../support/streams.ts";

describe("Arguments of InMemoryStreamSessionManager", () => {
  it("rejects invalid session IDs and keeps attached streams", async () => {
    const manager = new InMemoryStreamSessionManager();
    const kept = openStream();
    manager.create("kept", kept.controller);
    const longest = "x".repeat(256);
    manager.create(longest, openStream().controller);
    for (
      const id of ["", `${longest}x`, "a b", "tab\t", "caf\u00e9", "\x7f", "\n"]
    ) {
      const error = assertThrows(
        () => manager.create(id, openStream().controller),
        InvalidArgumentError,
        "1 to 256 characters of visible ASCII",
      );
      assertEquals(error.code, "ERR_INVALID_ARGUMENT");
      assertEquals(error.argument, "id");
      assert(error.message.length < 200, "The message contains the whole ID.");
      // Elsewhere, an invalid ID is treated as an unknown one.
      assertEquals(await manager.has(id), false);
      manager.delete(id);
      manager.send([id], "x");
    }
    for (const id of [undefined, null, 7, {}, ["kept"]]) {
      assertThrows(
        () => manager.create(id as string, openStream().controller),
        InvalidArgumentError,
        "must be a string",
      );
    }
    manager.send(undefined, "still here");
    assertEquals(await kept.read(), "still here");
  });

  it("rejects invalid controllers and keeps attached streams", async () => {
    const manager = new InMemoryStreamSessionManager();
    const kept = openStream();
    manager.create("a", kept.controller);
    const writer = new WritableStream().getWriter();
    for (const controller of [undefined, null, {}, "x", 7, writer, () => {}]) {
      assertThrows(
        () =>
          manager.create(
            "a",
            controller as unknown as ReadableStreamDefaultController,
          ),
        InvalidArgumentError,
        "Expected a ReadableStreamDefaultController",
      );
    }
    manager.send(["a"], "still here");
    assertEquals(await kept.read(), "still here");
  });

  it("rejects invalid arguments of send without writing anything", async () => {
    const manager = new InMemoryStreamSessionManager();
    const stream = openStream();
    manager.create("a", stream.controller);
    for (const data of [undefined, null, 7, {}, new Uint8Array(2), ["x"]]) {
      for (const sessions of [undefined, ["a"], []]) {
        assertThrows(
          () => manager.send(sessions, data as string),
          InvalidArgumentError,
          "must be a string",
        );
      }
    }
    for (const sessions of [null, "a", new Set(["a"]), { a: 1 }]) {
      assertThrows(
        () => manager.send(sessions as unknown as string[], "x"),
        InvalidArgumentError,
        "undefined for everyone",
      );
    }
    manager.send(undefined, "first");
    assertEquals(await stream.read(), "first");
  });

  it("rejects options that are out of range and names them", () => {
    const counts = [0, -1, 1.5, NaN, "3", null];
    const durations = [0, -1, NaN, "3", null, true];
    const groups = [null, 7, "x", true];
    const invalid: Record<string, readonly unknown[]> = {
      "options": groups,
      "maxSessions": counts,
      "backlog": groups,
      "backlog.maxBytes": counts,
      "backlog.maxAgeMs": durations,
      "keepAliveMs": durations,
      "coalesce": [0, "no", null],
      "replay": groups,
      "replay.maxEvents": counts,
      "replay.maxBytes": counts,
      "replay.maxAgeMs": durations,
      "onError": ["log", {}, null],
      "onEvict": ["log", {}, null],
      "onReset": ["log", {}, null],
    };
    for (const [argument, values] of Object.entries(invalid)) {
      for (const value of values) {
        const [group, option] = argument.split(".") as [string, string?];
        const nested = { [group]: option ? { [option]: value } : value };
        const error = assertThrows(
          () =>
            new InMemoryStreamSessionManager(
              (argument === "options" ? value : nested) as never,
            ),
          InvalidArgumentError,
          `"${argument}" must be`,
        );
        assertEquals(error.argument, argument);
        assertEquals(error.code, "ERR_INVALID_ARGUMENT");
      }
    }
    const unlimited = Infinity;
    for (
      const options of [
        { maxSessions: unlimited, backlog: false, keepAliveMs: false },
        {
          backlog: { maxBytes: unlimited, maxAgeMs: unlimited },
          keepAliveMs: unlimited,
        },
        { backlog: {}, keepAliveMs: 0.5, replay: {}, coalesce: false },
        { replay: { maxEvents: 1, maxBytes: unlimited, maxAgeMs: unlimited } },
        { backlog: undefined, replay: undefined, keepAliveMs: undefined },
      ] as const
    ) new InMemoryStreamSessionManager(options);
  });

  it("rejects invalid options of close and closes nothing", async () => {
    const manager = new InMemoryStreamSessionManager();
    const kept = openStream();
    manager.create("kept", kept.controller);
    const delays = [-1, NaN, Infinity, "3", null, 2 ** 31];
    for (const argument of ["options", "drainMs", "retryMs"]) {
      for (const value of argument === "options" ? [null, 7] : delays) {
        const options = argument === "options" ? value : { [argument]: value };
        const closed = manager.close(options as never);
        const error = await assertRejects(() => closed, InvalidArgumentError);
        assertEquals(error.argument, argument);
      }
    }
    manager.create("another", openStream().controller);
    manager.send(undefined, "still here");
    assertEquals(await kept.read(), "still here");
    await manager.close({ drainMs: 0, retryMs: 0 });
  });
});
