import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { FloodCosts } from "./floods.ts";
import { measure } from "./own_process.ts";

describe("Floods of hostile requests", () => {
  it("L9 leave nothing behind, and an honest client is served", async () => {
    const [honest, ...floods] = await measure<FloodCosts[]>(
      "floods.ts",
      "--json",
    );
    assertEquals(honest!.statuses, [200]);
    for (const { name, bytesPerRequest, expected, refused, honest } of floods) {
      assert(
        bytesPerRequest < 10,
        `Each ${name} left ${bytesPerRequest} bytes behind.`,
      );
      assertEquals(refused, expected, name);
      assertEquals(honest.refused, 0, name);
      assert(honest.count > 0, `No honest client was beside ${name}.`);
    }
    assertEquals(floods.at(-1)!.sessions, 100);
  });
});
