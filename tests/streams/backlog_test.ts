import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { Backlog } from "../../src/streams/backlog.ts";

describe("Backlog", () => {
  it("forgets what is read, chunk by chunk", () => {
    const backlog = behind(1, 10, 100);
    backlog.push(20, 200, 2);
    backlog.push(30, 300, 3);
    assertEquals(look(backlog), [60, 100]);
    backlog.update(2, 400);
    assertEquals(look(backlog), [50, 200]);
    backlog.update(1, 400);
    assertEquals(look(backlog), [30, 300]);
    backlog.update(0, 400);
    assertEquals(look(backlog), [0, Infinity]);
  });

  it("goes by the measure of the stream, bytes for example", () => {
    const backlog = behind(10, 10, 100);
    backlog.push(20, 200, 30);
    backlog.update(20, 300);
    assertEquals(look(backlog), [20, 200]);
    // A chunk that is read in part may be unread as a whole, for all that is known.
    backlog.update(1, 300);
    assertEquals(look(backlog), [20, 200]);
  });

  it("starts with several chunks that were written at once", () => {
    const backlog = behind(3, 60, 100);
    backlog.update(1, 200);
    assertEquals(look(backlog), [60, 100]);
    backlog.update(0, 200);
    assertEquals(look(backlog), [0, Infinity]);
  });

  it("lets others' chunks get old, and counts no bytes for them", () => {
    const backlog = behind(1, 10, 100);
    backlog.update(2, 200);
    assertEquals(look(backlog), [10, 100]);
    backlog.update(1, 300);
    assertEquals(look(backlog), [0, 200]);
    backlog.push(7, 400, 2);
    assertEquals(look(backlog), [7, 200]);
    backlog.update(1, 500);
    assertEquals(look(backlog), [7, 400]);
  });

  it("allows in a turn what still fits", () => {
    const backlog = behind(1, 60, 100);
    assert(backlog.consume(1_000), "Nothing was said of a limit yet.");
    backlog.setBudget(100);
    assert(backlog.consume(30));
    assert(!backlog.consume(11));
    assert(backlog.consume(10), "What was refused has used something up.");
    assert(!backlog.consume(1));
    backlog.setBudget(100);
    assert(backlog.consume(40), "The next turn starts afresh.");
    backlog.setBudget(59);
    assert(!backlog.consume(0), "More is unread than may be.");
  });

  it("allows anything where only others' chunks are unread", () => {
    const backlog = behind(1, 0, 100);
    backlog.setBudget(10);
    assert(backlog.consume(1_000_000));
  });

  it("stays right while the reader never quite catches up", () => {
    const backlog = behind(1, 1, 0);
    for (let at = 1; at < 10_000; at++) {
      backlog.push(at, at, 2);
      backlog.update(1, at);
      assertEquals(look(backlog), [at, at]);
    }
  });

  it("knows what is unread, whatever is written and read", () => {
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
        (weigh, steps) => {
          let queue = [{ bytes: 9, since: 0 }];
          const held = () =>
            queue.reduce((sum, { bytes }) => sum + weigh(bytes), 0);
          const backlog = behind(held(), 9, 0);
          for (const [since, step] of steps.entries()) {
            if ("bytes" in step) {
              queue.push({ bytes: step.bytes, since });
              backlog.push(step.bytes, since, held());
            } else {
              queue = queue.slice(step.read);
              backlog.update(held(), since);
            }
            assertEquals(look(backlog), [
              queue.reduce((sum, { bytes }) => sum + bytes, 0),
              queue[0]?.since ?? Infinity,
            ]);
          }
        },
      ),
      { seed: 1 },
    );
  });

  it("never takes for read what is not, when it looks too rarely", () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: 50 }),
      /** What is read since the last look. */
      read: fc.nat({ max: 3 }),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { size: "large" }), (steps) => {
        const queue = [1];
        const backlog = behind(1, 1, 0);
        for (const { bytes, read, looks } of steps) {
          queue.splice(0, read);
          if (looks) backlog.update(queue.length, 0);
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

function look({ bytes, oldestAt }: Backlog): [bytes: number, since: number] {
  return [bytes, oldestAt];
}

function behind(held: number, bytes: number, since: number): Backlog {
  const backlog = new Backlog();
  backlog.push(bytes, since, held);
  return backlog;
}
