import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { nextTurn } from "../../src/runtime/end_of_turn.ts";
import {
  forEachInSlices,
  Slice,
  SlicedSweep,
} from "../../src/runtime/slice.ts";

/** How many items there are. Each takes a millisecond. */
const ITEMS = 60;

describe("slices", () => {
  it("a slice ends, and stays over", () => {
    const slice = new Slice();
    let steps = 0;
    while (!slice.isOver()) {
      assert(!slice.wasOver);
      steps++;
      work();
    }
    assert(steps < ITEMS, `${steps} steps of 1 ms`);
    assert(slice.wasOver && slice.isOver());
  });

  it("a sweep goes on in later turns until it is done", async () => {
    const items = Array.from({ length: ITEMS }, (_, index) => index);
    let calls = 0;
    const sweep = new SlicedSweep((now, slice) => {
      assertEquals(now, 7);
      calls++;
      while (items.length > 0 && !slice.isOver()) {
        items.pop();
        work();
      }
    });
    sweep.run(7);
    assert(items.length > 0, "All items were swept in one turn.");
    const { length } = items;
    sweep.run(8);
    assertEquals(items.length, length, "A second sweep has started.");
    while (items.length > 0) await nextTurn();
    assert(calls > 2, `${calls} slices`);
  });

  it("a short sweep is done at once", async () => {
    let calls = 0;
    const sweep = new SlicedSweep(() => calls++);
    sweep.run(1);
    sweep.run(2);
    await nextTurn();
    assertEquals(calls, 2);
  });

  it("every item is visited once and in order, in several turns", async () => {
    const items = Array.from({ length: ITEMS }, (_, index) => index);
    const visited: number[] = [];
    const done = forEachInSlices(items, (item) => {
      visited.push(item);
      work();
    });
    assert(visited.length > 0, "The first slice does not run at once.");
    assert(visited.length < ITEMS, "All items were visited in one turn.");
    await done;
    assertEquals(visited, items);
  });
});

/** Keeps the event loop busy for a millisecond. */
function work(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}
