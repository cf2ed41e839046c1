import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { parseSse } from "../support/sse_parser.ts";
import { endOfTurn, open, type Opened } from "../support/streams.ts";

// A stream may run code of its source's while it takes a text: "pull" when it has
// room left, "size" to measure it. That code may use the manager.
describe("LocalStreams, used by the streams they write to", () => {
  for (const how of ["pull", "size"] as const) {
    it(`S7 sends from ${how} come after what it was called for`, async () => {
      for (const coalesce of [true, false]) {
        const manager = new InMemoryStreamSessionManager({ coalesce });
        const meddling = meddler(how, () => manager.send(undefined, "[in]"));
        await endOfTurn();
        const [first, last] = [open(), open()];
        manager.create("first", first.controller);
        manager.create("meddling", meddling.stream.controller);
        manager.create("last", last.controller);
        meddling.arm();
        manager.send(undefined, "[out]");
        await endOfTurn();
        await manager.close();
        const texts = await Promise.all(
          [first, meddling.stream, last].map(async ({ rest }) =>
            (await rest()).text
          ),
        );
        assertEquals(texts.slice(0, 2), ["[out][in]", "[out][in]"]);
        // It was not this one's turn yet. What counts is that it gets both, once.
        assertEquals(texts[2]?.match(/\[.*?\]/g)?.sort(), ["[in]", "[out]"]);
      }
    });

    it(`writes at the end of the turn what ${how} sends at its end`, async () => {
      const manager = new InMemoryStreamSessionManager();
      const meddling = meddler(how, () => manager.send(undefined, "[in]"));
      await endOfTurn();
      const other = open();
      manager.create("meddling", meddling.stream.controller);
      manager.create("other", other.controller);
      manager.send(undefined, "1");
      manager.send(undefined, "2");
      meddling.arm();
      await endOfTurn();
      await endOfTurn();
      assertEquals(manager.stats().delivered, 6);
      // Nothing more is sent, and all the same it does not stay behind.
      assertEquals(meddling.stream.controller.desiredSize, 100 - 3);
      manager.send(undefined, "3");
      await manager.close();
      const { text } = await meddling.stream.rest();
      assertEquals(text, "12[in]3");
      assertEquals((await other.rest()).text, "12[in]3");
    });

    it(`survives that ${how} ends and replaces streams`, async () => {
      for (const what of ["delete", "replace", "close"] as const) {
        const manager = new InMemoryStreamSessionManager();
        const [newer, other] = [open(), open()];
        const meddling = meddler(how, () => {
          if (what === "replace") manager.create("m", newer.controller);
          else if (what === "close") void manager.close();
          else for (const id of ["m", "other"]) manager.delete(id);
        });
        await endOfTurn();
        manager.create("m", meddling.stream.controller);
        manager.create("other", other.controller);
        meddling.arm();
        for (const text of ["1", "2", "3"]) manager.send(undefined, text);
        await endOfTurn();
        const isReplaced = what === "replace";
        assertEquals(manager.stats().attached, isReplaced ? 2 : 0, what);
        await manager.close();
        assertEquals(await other.rest(), {
          text: isReplaced ? "123" : "",
          end: "closed",
        });
        if (!isReplaced) continue;
        assertEquals(await newer.rest(), { text: "23", end: "closed" });
      }
    });
  }

  it("S15 leaves no gap in what a client can ask for again", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const meddling = meddler("pull", () => {
      manager.send(undefined, "data: in\n\n");
    });
    await endOfTurn();
    const last = open();
    manager.create("meddling", meddling.stream.controller);
    manager.create("last", last.controller);
    meddling.arm();
    manager.send(undefined, "data: out\n\n");
    // The connection breaks after the first event.
    const [first] = parseSse(await last.read()).events;
    manager.delete("last");
    manager.prepareStream("last", { lastEventId: first!.id });
    const again = open();
    manager.create("last", again.controller);
    await manager.close();
    const { events } = parseSse((await again.rest()).text);
    assertEquals([first!, ...events].map(({ data }) => data).sort(), [
      "in",
      "out",
    ]);
  });
});

/** A stream that does something while it takes the next text. */
function meddler(
  how: "pull" | "size",
  meddle: () => void,
): { stream: Opened; arm(): void } {
  let isArmed = false;
  const once = () => {
    if (!isArmed) return;
    isArmed = false;
    meddle();
  };
  const stream = how === "pull"
    ? open({ highWaterMark: 100 }, { pull: once })
    : open({
      highWaterMark: 100,
      size: () => {
        once();
        return 1;
      },
    });
  return { stream, arm: () => void (isArmed = true) };
}
