import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { StreamCase } from "../../suites/behaviours.ts";
import type { SseParser } from "../../support/sse_parser.ts";
import { pollUntil, retryOnStall } from "../../support/timing.ts";
import { TestStream } from "../../support/test_stream.ts";

const KEEP_ALIVE_MS = 60;
const FRAME = "data: text\n\n";

/** What idle streams get. */
export const streamIdleCases: readonly StreamCase[] = [
  {
    behaviour: "S11",
    name: "an idle stream gets comments now and then",
    run: async ({ create }) => {
      const manager = await create({ keepAliveMs: KEEP_ALIVE_MS });
      const fresh = new TestStream();
      const used = new TestStream();
      await manager.create("fresh", fresh.controller);
      await manager.create("used", used.controller);
      await manager.send(["used"], FRAME);
      const parsers = [fresh.follow(), used.follow()];
      let elapsed = 0;
      await pollUntil((elapsedMs) => {
        elapsed = elapsedMs;
        return parsers.every(({ comments }) => comments.length >= 4);
      });
      for (const { comments } of parsers) {
        ok(
          comments.length >= 4,
          `${comments.length} comments in ${elapsed} ms`,
        );
        ok(
          comments.length <= elapsed / KEEP_ALIVE_MS + 1,
          `${comments.length} comments in ${elapsed} ms`,
        );
      }
      // These are only comments, and do not affect the next frame.
      for (const { retry, lastEventId } of parsers) {
        strictEqual(retry, undefined);
        strictEqual(lastEventId, "");
      }
      await manager.send(undefined, "event: next\ndata: text\nid: 7\n\n");
      const next = { type: "next", data: "text", lastEventId: "7" };
      const first = { type: "message", data: "text", lastEventId: "" };
      await pollUntil(() =>
        parsers.every(({ lastEventId }) => lastEventId === "7")
      );
      deepStrictEqual(parsers[0]!.events, [next]);
      deepStrictEqual(parsers[1]!.events, [first, next]);
    },
  },
  {
    behaviour: "S11",
    name: "a busy stream gets no comments",
    run: ({ create }) =>
      // After a stall this long, no stream is busy.
      retryOnStall(KEEP_ALIVE_MS * 0.9, async () => {
        const manager = await create({ keepAliveMs: KEEP_ALIVE_MS });
        const stream = new TestStream();
        await manager.create("busy", stream.controller);
        const parser = stream.follow();
        const pause = await pollUntil(async (elapsed) => {
          await manager.send(["busy"], FRAME);
          return elapsed > 3 * KEEP_ALIVE_MS;
        });
        return [pause, () => deepStrictEqual(parser.comments, [])];
      }),
  },
  {
    behaviour: "S11",
    name: "no comment is written into a frame, or while data is unread",
    run: async ({ create, within }) => {
      const manager = await create({ keepAliveMs: KEEP_ALIVE_MS });
      const halves = [
        "data: a\n",
        "data: a",
        "id: 1\r\n",
        "data: a\r",
        "event\n",
      ];
      const idle = new TestStream();
      const stalled = new TestStream();
      await manager.create("idle", idle.controller);
      await manager.create("stalled", stalled.controller);
      await manager.send(["stalled"], FRAME);
      const partial: SseParser[] = [];
      for (const [index, half] of halves.entries()) {
        const stream = new TestStream();
        await manager.create(`partial-${index}`, stream.controller);
        await manager.send([`partial-${index}`], FRAME);
        await manager.send([`partial-${index}`], half);
        partial.push(stream.follow());
      }
      const { comments } = idle.follow();
      await pollUntil(() => comments.length >= 4);
      ok(comments.length >= 4, "The idle stream got no comments");
      for (const [index, parser] of partial.entries()) {
        const where = `after ${JSON.stringify(halves[index])}`;
        deepStrictEqual(parser.comments, [], where);
        strictEqual(parser.events.length, 1, where);
      }
      await manager.delete("stalled");
      const { text } = await within(stalled.end(), "the unread");
      ok(text.startsWith(FRAME) && text.length < 3 * FRAME.length, text);
      // Once it is complete, the frame is as if nothing had come between.
      await manager.send(["partial-0"], "data: b\n\n");
      const [completed] = partial;
      await pollUntil(() => completed!.comments.length > 0);
      const texts = completed!.events.map(({ data }) => data);
      deepStrictEqual(texts, ["text", "a\nb"]);
      ok(completed!.comments.length > 0, "It got none when it was idle again");
    },
  },
];
