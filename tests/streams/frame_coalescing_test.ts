import {
  DeliveryError,
  type InMemoryStreamSessionManager,
} from "@crossmcp/session-manager";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "node:test";
import {
  createManager,
  endOfTurn,
  openByteStream,
  openStream,
  usingFakeTime,
} from "../support/streams.ts";

describe("Coalescing the frames of a turn", () => {
  it(
    "writes the first frame of a turn at once and the others together at its end",
    usingFakeTime(async (time) => {
      const { manager } = createManager();
      const { controller, read } = openStream();
      manager.create("a", controller);
      for (const turn of ["x", "y"]) {
        manager.send(["a"], `${turn}1`);
        assertEquals(await read(), `${turn}1`);
        manager.send(["a"], `${turn}2`);
        await Promise.resolve();
        manager.send(["a"], `${turn}3`);
        await endOfTurn();
        assertEquals(await read(), `${turn}2${turn}3`);
        time.tick(1_000);
      }
      assertEquals(manager.stats().delivered, 6);
      await manager.close();
    }),
  );

  it(
    "after a turn with several frames, queues the first frame too",
    usingFakeTime(async () => {
      const { manager } = createManager();
      const { controller, read } = openStream();
      manager.create("a", controller);
      await sendBurst(manager, read);
      for (const frame of ["3", "4"]) manager.send(["a"], frame);
      await endOfTurn();
      assertEquals(await read(), "34");
      await manager.close();
    }),
  );

  it(
    "counts a frame that is queued until the end of the turn as unread",
    usingFakeTime(async (time) => {
      const { manager } = createManager();
      const { controller, read } = openStream();
      manager.create("a", controller);
      await sendBurst(manager, read);
      time.tick(900);
      manager.send(["a"], "345");
      assertEquals(manager.stats().queuedBytes, 3);
      await endOfTurn();
      assertEquals(await read(), "345");
      await manager.close();
    }),
  );

  it(
    "writes the first frame at once again after a turn with one frame",
    usingFakeTime(async () => {
      const { manager } = createManager();
      const { controller, read } = openStream();
      manager.create("a", controller);
      await sendBurst(manager, read);
      manager.send(["a"], "3");
      await endOfTurn();
      assertEquals(await read(), "3");
      manager.send(["a"], "4");
      assertEquals(await read(), "4");
      await manager.close();
    }),
  );

  it(
    "doesn't count a keep-alive comment as a frame of a burst",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_500 });
      const { controller, read } = openStream();
      manager.create("a", controller);
      manager.send(["a"], "1\n\n");
      await endOfTurn();
      assertEquals(await read(), "1\n\n");
      time.tick(2_000);
      assertEquals(await read(), ": keep-alive\n\n");
      manager.send(["a"], "2");
      assertEquals(await read(), "2");
      await manager.close();
    }),
  );

  it("forgets a burst after a second, also without keep-alive and backlog", async () => {
    const { manager } = createManager({ backlog: false, keepAliveMs: false });
    const { controller, read } = openStream();
    manager.create("a", controller);
    await sendBurst(manager, read);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    manager.send(["a"], "3");
    assertEquals(manager.stats().queuedBytes, 1);
    manager.send(["a"], "4");
    await endOfTurn();
    assertEquals([await read(), await read()], ["3", "4"]);
    await manager.close();
  });

  it("writes every frame at once when coalesce is false", async () => {
    const { manager } = createManager({ coalesce: false });
    const { controller, read } = openStream();
    manager.create("a", controller);
    for (const frame of ["1", "2", "3"]) manager.send(["a"], frame);
    manager.delete("a");
    assertEquals([await read(), await read(), await read()], ["1", "2", "3"]);
  });

  for (const end of ["delete", "close", "drain"] as const) {
    it(`S7 ${end} writes queued frames before it closes streams`, async () => {
      const { manager, errors } = createManager();
      const streams = [openStream(), openByteStream()];
      for (const [at, { controller }] of streams.entries()) {
        manager.create(`${at}`, controller);
      }
      for (const frame of ["1", "2", "3"]) manager.send(undefined, frame);
      const rests = streams.map(({ readToEnd }) => readToEnd());
      if (end === "delete") {
        manager.delete("0");
        manager.delete("1");
      } else await manager.close({ drainMs: end === "drain" ? 20 : 0 });
      const retry = end === "drain" ? "retry: 1000\n\n" : "";
      for (const rest of rests) {
        assertEquals(await rest, { text: `123${retry}`, end: "closed" });
      }
      await endOfTurn();
      assertEquals(errors, []);
    });
  }

  it("S7 moves queued frames to the stream that replaces theirs", async () => {
    const { manager, errors } = createManager();
    const [older, newer] = [openStream(), openStream()];
    manager.create("a", older.controller);
    manager.send(["a"], "1");
    assertEquals(await older.read(), "1");
    manager.send(["a"], "2");
    manager.create("a", newer.controller);
    manager.send(["a"], "3");
    manager.send(["a"], "4");
    manager.delete("a");
    assertEquals(await older.readToEnd(), { text: "", end: "closed" });
    assertEquals(await newer.readToEnd(), { text: "234", end: "closed" });
    assertEquals(errors, []);
  });

  for (const cause of ["end of turn", "delete", "close"] as const) {
    it(`S6 reports a stream that fails on the flush by ${cause} once`, async () => {
      const { manager, errors } = createManager();
      const [broken, healthy] = [openStream(), openStream()];
      manager.create("broken", broken.controller);
      manager.create("healthy", healthy.controller);
      for (const frame of ["1", "2"]) manager.send(undefined, frame);
      broken.controller.error(new Error("reset"));
      if (cause === "delete") manager.delete("broken");
      if (cause === "close") await manager.close();
      await endOfTurn();
      await endOfTurn();
      assertEquals(errors.length, 1);
      assertInstanceOf(errors[0], DeliveryError);
      assertEquals((errors[0] as DeliveryError).sessionId, "broken");
      assertEquals(await manager.has("broken"), false);
      manager.delete("healthy");
      assertEquals((await healthy.readToEnd()).text, "12");
    });
  }

  it("S6 reports no error for a client that disconnects before the flush", async () => {
    const { manager, errors } = createManager();
    const { controller, reader } = openStream({}, {
      cancel: () => manager.delete("a"),
    });
    manager.create("a", controller);
    for (const frame of ["1", "2"]) manager.send(["a"], frame);
    await reader.cancel();
    await endOfTurn();
    assertEquals(await manager.has("a"), false);
    assertEquals(errors, []);
  });
});

/** Sends two frames in one turn and reads them. */
async function sendBurst(
  manager: InMemoryStreamSessionManager,
  read: () => Promise<string>,
): Promise<void> {
  for (const frame of ["1", "2"]) manager.send(["a"], frame);
  await endOfTurn();
  assertEquals([await read(), await read()], ["1", "2"]);
}
