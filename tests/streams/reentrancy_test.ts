import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { parseSse } from "../support/sse_parser.ts";
import {
  endOfTurn,
  type OpenedStream,
  openStream,
} from "../support/streams.ts";

// Enqueueing a chunk may synchronously run code of the stream's source or
// strategy: `pull` if there is capacity left, `size` to measure the chunk. That
// code may call the manager.
describe("A manager called from inside enqueue", () => {
  for (const hook of ["pull", "size"] as const) {
    it(`S7 delivers a frame sent from ${hook} after the one being written`, async () => {
      for (const coalesce of [true, false]) {
        const manager = new InMemoryStreamSessionManager({ coalesce });
        const reentrant = createReentrant(
          hook,
          () => manager.send(undefined, "[in]"),
        );
        await endOfTurn();
        const [first, last] = [openStream(), openStream()];
        manager.create("first", first.controller);
        manager.create("reentrant", reentrant.stream.controller);
        manager.create("last", last.controller);
        reentrant.arm();
        manager.send(undefined, "[out]");
        await endOfTurn();
        await manager.close();
        const texts = await Promise.all(
          [first, reentrant.stream, last].map(async ({ readToEnd }) =>
            (await readToEnd()).text
          ),
        );
        assertEquals(texts.slice(0, 2), ["[out][in]", "[out][in]"]);
        // The outer frame has not reached this stream yet, so the order may differ.
        assertEquals(texts[2]?.match(/\[.*?\]/g)?.sort(), ["[in]", "[out]"]);
      }
    });

    it(`flushes a frame that ${hook} sends at the end of the turn`, async () => {
      const manager = new InMemoryStreamSessionManager();
      const reentrant = createReentrant(
        hook,
        () => manager.send(undefined, "[in]"),
      );
      await endOfTurn();
      const other = openStream();
      manager.create("reentrant", reentrant.stream.controller);
      manager.create("other", other.controller);
      manager.send(undefined, "1");
      manager.send(undefined, "2");
      reentrant.arm();
      await endOfTurn();
      await endOfTurn();
      assertEquals(manager.stats().delivered, 6);
      // The inner frame is flushed although nothing else is sent.
      assertEquals(reentrant.stream.controller.desiredSize, 100 - 3);
      manager.send(undefined, "3");
      await manager.close();
      const { text } = await reentrant.stream.readToEnd();
      assertEquals(text, "12[in]3");
      assertEquals((await other.readToEnd()).text, "12[in]3");
    });

    it(`allows ${hook} to delete, replace and close streams`, async () => {
      for (const operation of ["delete", "replace", "close"] as const) {
        const manager = new InMemoryStreamSessionManager();
        const [newer, other] = [openStream(), openStream()];
        const reentrant = createReentrant(hook, () => {
          if (operation === "replace") manager.create("m", newer.controller);
          else if (operation === "close") void manager.close();
          else for (const id of ["m", "other"]) manager.delete(id);
        });
        await endOfTurn();
        manager.create("m", reentrant.stream.controller);
        manager.create("other", other.controller);
        reentrant.arm();
        for (const frame of ["1", "2", "3"]) manager.send(undefined, frame);
        await endOfTurn();
        const isReplaced = operation === "replace";
        assertEquals(manager.stats().attached, isReplaced ? 2 : 0, operation);
        await manager.close();
        assertEquals(await other.readToEnd(), {
          text: isReplaced ? "123" : "",
          end: "closed",
        });
        if (!isReplaced) continue;
        assertEquals(await newer.readToEnd(), { text: "23", end: "closed" });
      }
    });
  }

  it("S15 resumes without a gap after a frame sent from pull", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const reentrant = createReentrant("pull", () => {
      manager.send(undefined, "data: in\n\n");
    });
    await endOfTurn();
    const last = openStream();
    manager.create("reentrant", reentrant.stream.controller);
    manager.create("last", last.controller);
    reentrant.arm();
    manager.send(undefined, "data: out\n\n");
    // The client disconnects after the first event.
    const [first] = parseSse(await last.read()).events;
    manager.delete("last");
    manager.prepareStream("last", { lastEventId: first!.id });
    const resumed = openStream();
    manager.create("last", resumed.controller);
    await manager.close();
    const { events } = parseSse((await resumed.readToEnd()).text);
    assertEquals([first!, ...events].map(({ data }) => data).sort(), [
      "in",
      "out",
    ]);
  });
});

/** Creates a stream that, once armed, calls `action` during the next enqueue. */
function createReentrant(
  hook: "pull" | "size",
  action: () => void,
): { stream: OpenedStream; arm(): void } {
  let isArmed = false;
  const runOnce = () => {
    if (!isArmed) return;
    isArmed = false;
    action();
  };
  const stream = hook === "pull"
    ? openStream({ highWaterMark: 100 }, { pull: runOnce })
    : openStream({
      highWaterMark: 100,
      size: () => {
        runOnce();
        return 1;
      },
    });
  return { stream, arm: () => void (isArmed = true) };
}
