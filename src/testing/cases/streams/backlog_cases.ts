import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { EvictionReason } from "../../../contracts/options.ts";
import type { StreamCase, StreamLimits } from "../../suites/behaviours.ts";
import {
  eventually,
  inBackground,
  nextTurn,
  pollUntil,
  retryOnStall,
} from "../../support/timing.ts";
import { TestStream } from "../../support/test_stream.ts";

/** A hundred bytes. */
const TEXT = `data: ${"x".repeat(92)}\n\n`;
/** Ten of these frames. */
const MAX_BYTES = 1_000;
const MAX_AGE_MS = 150;

/** Readers that fall behind, and those that do not. */
export const streamBacklogCases: readonly StreamCase[] = [
  {
    behaviour: "S10",
    name: "a reader that leaves too many bytes unread is evicted, and no other",
    run: async ({ create, within }) => {
      const evicted: [id: string, reason: EvictionReason][] = [];
      const manager = await create(limits({ maxBytes: MAX_BYTES }, evicted));
      const stalled = new TestStream();
      const reading = new TestStream();
      const little = new TestStream();
      await manager.create("stalled", stalled.controller);
      await manager.create("reading", reading.controller);
      await manager.create("little", little.controller);
      const all = inBackground(reading.readAs(TEXT.repeat(30)));
      for (let count = 1; count <= 30; count++) {
        await manager.send(["stalled", "reading"], TEXT);
        if (count <= 3) await manager.send(["little"], TEXT);
        await nextTurn();
        if (count === 9) {
          deepStrictEqual(evicted, [], "It was evicted too early");
          strictEqual(await manager.has("stalled"), true);
        }
      }
      await eventually(() => evicted.length, (count) => count > 0);
      deepStrictEqual(evicted, [["stalled", "bytes"]]);
      strictEqual(await manager.has("stalled"), false);
      const { ended } = await within(stalled.end(), "the end of the stalled");
      strictEqual(ended, "errored");
      strictEqual(await within(all, "the other's texts"), TEXT.repeat(30));
      // Unread as well, but not too much.
      strictEqual(await manager.has("little"), true);
      strictEqual(
        await within(little.readAs(TEXT.repeat(3)), "what is left unread"),
        TEXT.repeat(3),
      );
    },
  },
  {
    behaviour: "S10",
    name: "a reader that has read everything may get any amount at once",
    run: async ({ create, within }) => {
      const evicted: [id: string, reason: EvictionReason][] = [];
      const manager = await create(limits({ maxBytes: MAX_BYTES }, evicted));
      const eager = new TestStream();
      const patient = new TestStream();
      await manager.create("eager", eager.controller);
      await manager.create("patient", patient.controller);
      const huge = `data: ${"y".repeat(20 * MAX_BYTES)}\n\n`;
      const burst = [...Array.from({ length: 50 }, () => TEXT), huge, TEXT];
      const expected = burst.join("").repeat(3);
      const reading = inBackground(eager.readAs(expected));
      for (let round = 0; round < 3; round++) {
        const sent = burst.map((text) =>
          inBackground(manager.send(undefined, text))
        );
        await within(Promise.all(sent), "the burst");
        await nextTurn();
        const found = await within(patient.readAs(burst.join("")), "the burst");
        ok(found === burst.join(""), "The burst came in pieces");
      }
      const found = await within(reading, "the bursts, as they came");
      ok(found === expected, "The bursts came in pieces");
      deepStrictEqual(evicted, []);
      strictEqual(await manager.has("eager"), true);
      strictEqual(await manager.has("patient"), true);
    },
  },
  {
    behaviour: "S10",
    name: "a reader that leaves something unread for too long is evicted",
    run: ({ create, within }) =>
      // After a stall this long, every reader is a slow one.
      retryOnStall(MAX_AGE_MS / 2, async () => {
        const evicted: [id: string, reason: EvictionReason][] = [];
        const manager = await create(limits({ maxAgeMs: MAX_AGE_MS }, evicted));
        const streams = {
          stalled: new TestStream(),
          // Always has something unread, but never the same.
          behind: new TestStream(),
          read: new TestStream(),
          fresh: new TestStream(),
        };
        for (const [id, { controller }] of Object.entries(streams)) {
          await manager.create(id, controller);
        }
        const sentAt = performance.now();
        await manager.send(["stalled", "behind", "read"], TEXT);
        streams.stalled.interfere(": connected\n\n");
        await within(streams.read.readAs(TEXT), "what is read at once");
        const setUpMs = performance.now() - sentAt;
        let evictedAt: number | undefined;
        let isLost = false;
        const pauseMs = await pollUntil(async (elapsed) => {
          if (evicted.length > 0) evictedAt ??= setUpMs + elapsed;
          // Later frames do not make the first one younger.
          await manager.send(["behind", "stalled"], TEXT);
          await nextTurn();
          // Not a failure yet: the machine may be too slow.
          await within(streams.behind.readAs(TEXT), "the text before")
            .catch(() => isLost = true);
          return isLost ||
            (evictedAt !== undefined && elapsed > 2 * MAX_AGE_MS);
        });
        return [Math.max(setUpMs, pauseMs), async () => {
          deepStrictEqual(evicted, [["stalled", "age"]]);
          ok(evictedAt! >= MAX_AGE_MS * 0.8, `It took only ${evictedAt} ms.`);
          strictEqual(await manager.has("stalled"), false);
          const end = await within(streams.stalled.end(), "the end");
          strictEqual(end.ended, "errored");
          for (const id of ["behind", "read", "fresh"]) {
            strictEqual(await manager.has(id), true, `${id} was evicted`);
          }
        }];
      }),
  },
  {
    behaviour: "S10",
    name:
      "frames that a transport enqueues itself neither hide what is unread nor count",
    run: async ({ create, within }) => {
      const evicted: [id: string, reason: EvictionReason][] = [];
      const manager = await create(limits({ maxBytes: MAX_BYTES }, evicted));
      const streams = foreignStreams();
      const ids = [...streams.keys()];
      const reading: Promise<string>[] = [];
      const at = (moment: string) => {
        for (const { when, stream } of streams.values()) {
          if (when === moment) stream.interfere(FOREIGN);
        }
      };
      at("before");
      for (const [id, { stream, how }] of streams) {
        await manager.create(id, stream.controller);
        if (how === "reads") {
          reading.push(inBackground(stream.readAs(FOREIGN + TEXT.repeat(30))));
        }
      }
      for (let count = 0; count < 30; count++) {
        await manager.send(ids, TEXT);
        if (count === 0) at("between");
        await nextTurn();
        if (count === 2) at("after");
        if (count === 4) {
          deepStrictEqual(evicted, [], "Some were evicted too early");
          for (const { stream, how } of streams.values()) {
            if (how !== "reads a little") continue;
            await within(stream.read(FOREIGN.length), "the first bytes");
          }
        }
      }
      const stalled = ids.filter((id) => streams.get(id)!.how !== "reads");
      await eventually(
        () => evicted.length,
        (count) => count >= stalled.length,
      );
      deepStrictEqual(
        evicted.sort(([a], [b]) => a < b ? -1 : 1),
        stalled.sort().map((id) => [id, "bytes"]),
      );
      for (const text of await within(Promise.all(reading), "the readers")) {
        // What the transport wrote itself is where it was enqueued.
        strictEqual(text.replace(FOREIGN, ""), TEXT.repeat(30));
      }
    },
  },
];

/** What a transport writes itself, longer than the backlog limit. */
const FOREIGN = `: ${"z".repeat(2 * MAX_BYTES)}\n\n`;

interface ForeignStream {
  readonly stream: TestStream;
  /** When the transport writes. */
  readonly when: string;
  /** What the reader does. */
  readonly how: string;
}

/** Streams of two strategies, for every moment and every kind of reader. */
function foreignStreams(): Map<string, ForeignStream> {
  const streams = new Map<string, ForeignStream>();
  for (const highWaterMark of [0, 1, 16_384]) {
    const strategy = highWaterMark > 1
      ? new ByteLengthQueuingStrategy({ highWaterMark })
      : new CountQueuingStrategy({ highWaterMark });
    for (const when of ["before", "between", "after"]) {
      for (const how of ["stalls", "reads a little", "reads"]) {
        const stream = new TestStream({ strategy });
        streams.set(`${how},${when},${highWaterMark}`.replaceAll(" ", "-"), {
          stream,
          when,
          how,
        });
      }
    }
  }
  return streams;
}

function limits(
  backlog: StreamLimits["backlog"],
  evicted: [id: string, reason: EvictionReason][],
): StreamLimits {
  return { backlog, onEvict: (id, reason) => evicted.push([id, reason]) };
}
