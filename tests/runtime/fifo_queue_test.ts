import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { FifoQueue } from "../../src/runtime/fifo_queue.ts";

describe("FifoQueue", () => {
  it("returns items in the order in which they were added", () => {
    const queue = new FifoQueue<number>();
    const expected: number[] = [];
    // Phases in which it grows, stays as long as it is, and empties itself.
    for (const [added, removed] of [[3, 1], [1, 1], [1, 3]] as const) {
      for (let round = 0; round < 200; round++) {
        for (let i = 0; i < added; i++) {
          queue.push(round);
          expected.push(round);
        }
        for (let i = 0; i < removed; i++) {
          assertEquals(queue.peek(), expected[0]);
          assertEquals(queue.shift(), expected.shift());
        }
        assertEquals(queue.size, expected.length);
        for (const count of [0, 1, 10, 10_000]) {
          const last = count === 0 ? [] : expected.slice(-count);
          assertEquals(queue.last(count), last);
        }
      }
    }
    assertEquals(queue.size, 0);
  });

  it("is empty after clear, and can be used again", () => {
    const queue = new FifoQueue<string>();
    queue.push("a");
    queue.push("b");
    queue.shift();
    queue.clear();
    assertEquals([queue.size, queue.peek(), queue.shift()], [
      0,
      undefined,
      undefined,
    ]);
    queue.push("c");
    assertEquals(queue.shift(), "c");
  });
});
