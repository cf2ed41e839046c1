import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { Backlog } from "../../src/streams/backlog.ts";

describe("Backlog", () => {
  it("removes chunks once they are read", () => {
    const backlog = backlogOf(1, 10, 100);
    backlog.push(20, 200, 2);
    backlog.push(30, 300, 3);
    assertEquals(state(backlog), [60, 100]);
    backlog.update(2, 400);
    assertEquals(state(backlog), [50, 200]);
    backlog.update(1, 400);
    assertEquals(state(backlog), [30, 300]);
    backlog.update(0, 400);
    assertEquals(state(backlog), [0, Infinity]);
  });

  it("uses the unit of the stream, for example bytes", () => {
    const backlog = backlogOf(10, 10, 100);
    backlog.push(20, 200, 30);
    backlog.update(20, 300);
    assertEquals(state(backlog), [20, 200]);
    // A partly read chunk counts as unread.
    backlog.update(1, 300);
    assertEquals(state(backlog), [20, 200]);
  });

  it("starts with several chunks pushed as one", () => {
    const backlog = backlogOf(3, 60, 100);
    backlog.update(1, 200);
    assertEquals(state(backlog), [60, 100]);
    backlog.update(0, 200);
    assertEquals(state(backlog), [0, Infinity]);
  });

  it("tracks the age but not the bytes of chunks that others enqueued", () => {
    const backlog = backlogOf(1, 10, 100);
    backlog.update(2, 200);
    assertEquals(state(backlog), [10, 100]);
    backlog.update(1, 300);
    assertEquals(state(backlog), [0, 200]);
    backlog.push(7, 400, 2);
    assertEquals(state(backlog), [7, 200]);
    backlog.update(1, 500);
    assertEquals(state(backlog), [7, 400]);
  });

  it("allows the bytes per turn that still fit", () => {
    const backlog = backlogOf(1, 60, 100);
    assert(backlog.consume(1_000), "There is no limit before setBudget.");
    backlog.setBudget(100);
    assert(backlog.consume(30));
    assert(!backlog.consume(11));
    assert(backlog.consume(10), "The refused bytes used up budget.");
    assert(!backlog.consume(1));
    backlog.setBudget(100);
    assert(backlog.consume(40), "The next turn has a new budget.");
    backlog.setBudget(59);
    assert(!backlog.consume(0), "More is unread than the limit allows.");
  });

  it("has no limit while only chunks of others are unread", () => {
    const backlog = backlogOf(1, 0, 100);
    backlog.setBudget(10);
    assert(backlog.consume(1_000_000));
  });

  it("stays correct while the reader never catches up completely", () => {
    const backlog = backlogOf(1, 1, 0);
    for (let i = 1; i < 10_000; i++) {
      backlog.push(i, i, 2);
      backlog.update(1, i);
      assertEquals(state(backlog), [i, i]);
    }
  });

  it("matches a model of the queue for random writes and reads", () => {
    const byCount = (_: number) => 1;
    const byLength = (bytes: number) => bytes;
    const step = fc.oneof(
      fc.record({ bytes: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(byCount, byLength),
        fc.array(step, { size: "large" }),
        (sizeOf, steps) => {
          let queue = [{ bytes: 9, enqueuedAt: 0 }];
          const queuedSize = () =>
            queue.reduce((sum, { bytes }) => sum + sizeOf(bytes), 0);
          const backlog = backlogOf(queuedSize(), 9, 0);
          for (const [now, step] of steps.entries()) {
            if ("bytes" in step) {
              queue.push({ bytes: step.bytes, enqueuedAt: now });
              backlog.push(step.bytes, now, queuedSize());
            } else {
              queue = queue.slice(step.read);
              backlog.update(queuedSize(), now);
            }
            assertEquals(state(backlog), [
              queue.reduce((sum, { bytes }) => sum + bytes, 0),
              queue[0]?.enqueuedAt ?? Infinity,
            ]);
          }
        },
      ),
      { seed: 1 },
    );
  });

  it("never underestimates unread bytes when updated rarely", () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: 50 }),
      /** How many chunks are read before the write. */
      read: fc.nat({ max: 3 }),
      updates: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { size: "large" }), (steps) => {
        const queue = [1];
        const backlog = backlogOf(1, 1, 0);
        for (const { bytes, read, updates } of steps) {
          queue.splice(0, read);
          if (updates) backlog.update(queue.length, 0);
          queue.push(bytes);
          backlog.push(bytes, 0, queue.length);
          const unread = queue.reduce((sum, bytes) => sum + bytes, 0);
          assert(backlog.bytes >= unread, `${backlog.bytes} of ${unread}`);
        }
        backlog.update(0, 0);
        assertEquals(backlog.bytes, 0);
      }),
      { seed: 1 },
    );
  });
});

function state(
  { bytes, oldestAt }: Backlog,
): [bytes: number, oldestAt: number] {
  return [bytes, oldestAt];
}

/** Returns a backlog with one chunk. */
function backlogOf(
  queuedSize: number,
  bytes: number,
  enqueuedAt: number,
): Backlog {
  const backlog = new Backlog();
  backlog.push(bytes, enqueuedAt, queuedSize);
  return backlog;
}
