import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Recovery } from "../../src/redis/recovery.ts";
import { usingFakeTime } from "../support/streams.ts";

describe("Recovery", () => {
  it(
    "R1 lasts for three heartbeats after the last loss",
    usingFakeTime((time) => {
      let ended = 0;
      const recovery = new Recovery(1_000, () => void ended++);
      recovery.start();
      time.tick(2_000);
      recovery.start();
      time.tick(2_000);
      assertEquals([recovery.isRunning, ended], [true, 0]);
      time.tick(1_000);
      assertEquals([recovery.isRunning, ended], [false, 1]);
    }),
  );
});
