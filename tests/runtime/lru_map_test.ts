import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { LruMap, touch } from "../../src/runtime/lru_map.ts";

describe("touch", () => {
  it("moves an entry to the end", () => {
    const map = new Map([["a", 1], ["b", 2]]);
    touch(map, "a", 3);
    assertEquals([...map], [["b", 2], ["a", 3]]);
  });
});

describe("LruMap", () => {
  it("drops the entry that was set the longest ago", () => {
    const map = new LruMap<string, number>(2);
    const dropped = ["a", "b", "a", "c", "d"].map((key, at) =>
      map.set(key, at)
    );
    assertEquals(dropped, [undefined, undefined, undefined, 1, 2]);
    assertEquals([...map], [["c", 3], ["d", 4]]);
    assertEquals([map.has("a"), map.get("a")], [false, undefined]);
    assertEquals([map.has("c"), map.get("c")], [true, 3]);
  });

  it("makes an entry that is set again the newest, wherever it was", () => {
    for (const again of ["a", "b", "c"]) {
      const map = new LruMap<string, number>(3);
      for (const key of ["a", "b", "c"]) map.set(key, 0);
      assertEquals(map.set(again, 1), undefined);
      const others = ["a", "b", "c"].filter((key) => key !== again);
      const left = [...others.map((key) => [key, 0]), [again, 1]];
      assertEquals([...map], left as [string, number][]);
      assertEquals(map.set("d", 2), 0);
      assertEquals(map.has(others[0]!), false);
    }
  });

  it("removes entries at the start, in the middle and at the end", () => {
    for (const removed of ["a", "b", "c"]) {
      const map = new LruMap<string, number>(3);
      for (const key of ["a", "b", "c"]) map.set(key, 0);
      assertEquals([map.delete(removed), map.delete(removed)], [true, false]);
      map.set("d", 0);
      const left = ["a", "b", "c", "d"].filter((key) => key !== removed);
      assertEquals([...map].map(([key]) => key), left);
      assertEquals(map.set("e", 0), 0);
      assertEquals([...map].map(([key]) => key), [...left.slice(1), "e"]);
    }
  });

  it("can be used again after it was emptied", () => {
    const map = new LruMap<string, number>(1);
    map.set("a", 1);
    map.delete("a");
    map.set("b", 2);
    map.clear();
    assertEquals([...map], []);
    map.set("c", 3);
    assertEquals([...map], [["c", 3]]);
  });

  it("stays fast when it is full", () => {
    const timeOf = (maxSize: number) => {
      const map = new LruMap<string, number>(maxSize);
      const set = (count: number) => {
        for (let at = 0; at < count; at++) map.set(crypto.randomUUID(), at);
      };
      set(100_000);
      const start = performance.now();
      set(30_000);
      return performance.now() - start;
    };
    // To find the first key of a `Map` takes more than ten times as long.
    const [full, notFull] = [timeOf(100_000), timeOf(Infinity)];
    const isFast = full < 10 * notFull;
    assertEquals(isFast, true, `${full} ms, not full ${notFull} ms`);
  });
});
