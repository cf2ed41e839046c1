import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { touch } from "../../src/runtime/lru_map.ts";

describe("touch", () => {
  it("moves an entry to the end", () => {
    const map = new Map([["a", 1], ["b", 2]]);
    touch(map, "a", 3);
    assertEquals([...map], [["b", 2], ["a", 3]]);
  });

  it("drops the least recently used entry beyond the maximum size", () => {
    const map = new Map<string, number>();
    for (const key of ["a", "b", "a", "c"]) touch(map, key, 0, 2);
    assertEquals([...map.keys()], ["a", "c"]);
  });
});
