import {
  ClosedError,
  InMemoryStreamSessionManager,
  InvalidArgumentError,
  SessionLimitError,
} from "@crossmcp/session-manager";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { openStream } from "../support/streams.ts";
import { resetCounts } from "../support/empty_stats.ts";

describe("InMemoryStreamSessionManager.prepareStream", () => {
  it("hides the attached stream from has until it is replaced", async () => {
    const manager = new InMemoryStreamSessionManager();
    const older = openStream();
    manager.create("a", older.controller);
    const revoke = manager.prepareStream("a");
    assertEquals(await manager.has("a"), false);
    manager.send(["a"], "still attached");
    assertEquals(await older.read(), "still attached");
    revoke();
    revoke();
    assertEquals(await manager.has("a"), true);
    manager.prepareStream("a");
    const newer = openStream();
    manager.create("a", newer.controller);
    assertEquals(await manager.has("a"), true);
    assertEquals((await older.readToEnd()).end, "closed");
    manager.send(["a"], "to the newer");
    assertEquals(await newer.read(), "to the newer");
    await manager.close();
  });

  it("reserves one slot for each session", async () => {
    const manager = new InMemoryStreamSessionManager({ maxSessions: 2 });
    const stream = openStream();
    manager.create("a", stream.controller);
    const revoke = [manager.prepareStream("b"), manager.prepareStream("b")];
    const error = assertThrows(
      () => manager.prepareStream("c"),
      SessionLimitError,
    );
    assertEquals(error.maxSessions, 2);
    assertThrows(
      () => manager.create("c", openStream().controller),
      SessionLimitError,
    );
    // Replacing a stream needs no slot.
    manager.prepareStream("a")();
    revoke[0]!();
    assertThrows(() => manager.prepareStream("c"), SessionLimitError);
    revoke[1]!();
    manager.prepareStream("c");
    manager.create("c", openStream().controller);
    assertThrows(() => manager.prepareStream("b"), SessionLimitError);
    manager.delete("a");
    manager.create("b", openStream().controller);
    assertEquals(manager.stats().attached, 2);
    await manager.close();
  });

  it("applies to one stream, or until revoked if it is persistent", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const { latestEventId } = manager;
    manager.send(undefined, "data: missed\n\n");
    manager.prepareStream("a", { lastEventId: latestEventId });
    const revoke = manager.prepareStream("b", {
      lastEventId: latestEventId,
      persistent: true,
    });
    for (const id of ["a", "b", "a", "b"]) {
      manager.create(id, openStream().controller);
    }
    assertEquals(manager.stats().replayed, 3);
    revoke();
    manager.create("b", openStream().controller);
    assertEquals(manager.stats().replayed, 3);
    await manager.close();
  });

  it("uses the latest call for a session", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const { latestEventId } = manager;
    manager.send(["a"], "data: one\n\n");
    const { latestEventId: later } = manager;
    manager.send(["a"], "data: two\n\n");
    manager.prepareStream("a", { lastEventId: latestEventId });
    manager.prepareStream("a", { lastEventId: later });
    const stream = openStream();
    manager.create("a", stream.controller);
    manager.delete("a");
    assertEquals(
      (await stream.readToEnd()).text,
      `data: two\nid: ${manager.latestEventId}\n\n`,
    );
    await manager.close();
  });

  it("rejects invalid IDs, and all IDs after close", async () => {
    const manager = new InMemoryStreamSessionManager();
    for (const id of ["", "a b", undefined]) {
      assertThrows(
        () => manager.prepareStream(id as string),
        InvalidArgumentError,
      );
    }
    const revoke = manager.prepareStream("a");
    await manager.close();
    assertThrows(() => manager.prepareStream("a"), ClosedError);
    assertThrows(
      () => manager.create("a", openStream().controller),
      ClosedError,
    );
    revoke();
  });
});

describe("InMemoryStreamSessionManager with replay", () => {
  it("latestEventId changes with every event", async () => {
    assertEquals(new InMemoryStreamSessionManager().latestEventId, undefined);
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const stream = openStream();
    manager.create("a", stream.controller);
    const start = manager.latestEventId;
    manager.send(["a"], "data: one\n\n");
    const next = manager.latestEventId;
    assert(start !== next);
    assertEquals(await stream.read(), `data: one\nid: ${next}\n\n`);
    // Events for sessions without a stream count as well.
    manager.send(["away"], "data: two\n\ndata: three\n\n");
    assert(manager.latestEventId !== next);
    const other = new InMemoryStreamSessionManager({ replay: {} });
    assert(
      other.latestEventId !== start,
      "Two managers have the same event ID.",
    );
    await manager.close();
    await other.close();
  });

  it("S15 a stream that starts with a reset has nothing before it", async () => {
    const manager = new InMemoryStreamSessionManager({
      replay: { maxEvents: 3 },
    });
    const older = openStream();
    manager.create("a", older.controller);
    const { latestEventId: lastEventId } = manager;
    // All but the first wait for the end of the turn.
    for (let sent = 1; sent <= 10; sent++) {
      manager.send(["a"], `data: ${sent}\n\n`);
    }
    manager.prepareStream("a", { lastEventId });
    const newer = openStream();
    manager.create("a", newer.controller);
    manager.send(["a"], "data: 11\n\n");
    await manager.close();
    const { text } = await newer.readToEnd();
    assertMatch(text, /^event: reset\nid: \S+-10\n/);
    assertEquals(text.match(/data: \d+/g), ["data: 11"]);
  });

  it("calls onReset when frames can be sent to the new stream", async () => {
    const resets: string[] = [];
    const manager = new InMemoryStreamSessionManager({
      replay: { maxEvents: 1 },
      onReset: (id, reason) => {
        resets.push(`${id} ${reason}`);
        manager.send([id], "data: reloaded\n\n");
        throw new Error("This error must be ignored.");
      },
    });
    const firstEventId = manager.latestEventId!;
    manager.send(undefined, "data: one\n\ndata: two\n\n");
    const future = firstEventId.replace(/0$/, "99");
    const lastEventIds = { unknown: "x", purged: firstEventId, future };
    for (const [reason, lastEventId] of Object.entries(lastEventIds)) {
      const stream = openStream();
      const resetId = manager.latestEventId;
      manager.prepareStream("a", { lastEventId });
      manager.create("a", stream.controller);
      manager.delete("a");
      assertEquals(
        (await stream.readToEnd()).text,
        `event: reset\nid: ${resetId}\ndata: {"reason":"${reason}"}\n\n` +
          `data: reloaded\nid: ${manager.latestEventId}\n\n`,
      );
    }
    assertEquals(resets, ["a unknown", "a purged", "a future"]);
    const expected = resetCounts({ unknown: 1, purged: 1, future: 1 });
    assertEquals(manager.stats().resets, expected);
    await manager.close();
  });
});
