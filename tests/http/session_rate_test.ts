import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { SessionRate } from "../../src/http/session_rate.ts";

describe("SessionRate", () => {
  it("L6 allows a second's worth at once, and then as much as time has passed", () => {
    let now = 0;
    const rate = new SessionRate(4, () => now);
    const takeAll = () => {
      let taken = 0;
      while (rate.take("a")) taken++;
      return taken;
    };
    assert(!rate.isExhausted("a"));
    assertEquals(takeAll(), 4);
    assert(rate.isExhausted("a") && !rate.isExhausted("b"));
    now += 249;
    assertEquals(takeAll(), 0);
    now += 1;
    assert(!rate.isExhausted("a"));
    assertEquals(takeAll(), 1);
    now += 500;
    assertEquals(takeAll(), 2);
    now += 60_000;
    assertEquals(takeAll(), 4);
  });

  it("L6 remembers at most the principals of the last two seconds", () => {
    let now = 0;
    const rate = new SessionRate(4, () => now);
    for (let count = 0; count < 10_000; count++) {
      now += 1;
      rate.take(`principal ${count}`);
      assert(rate.size <= 2_000, `${rate.size} principals are remembered.`);
    }
    // After two seconds without any, all are forgotten at once.
    now += 2_000;
    rate.take("a");
    assertEquals(rate.size, 1);
    // One that is refused again and again stays refused.
    for (let count = 0; count < 5; count++) rate.take("a");
    for (let count = 0; count < 100; count++) assert(!rate.take("a"));
    // So does one that begins as many as it may, whatever others do.
    for (let step = 0; step < 10_000; step++) {
      now += 1;
      rate.take(`other ${step}`);
      assertEquals(rate.take("a"), step % 250 === 249, `After ${step} ms.`);
    }
  });

  it("L6 limits nobody without a principal, and nobody without a limit", () => {
    const rate = new SessionRate(1, () => 0);
    for (let count = 0; count < 10; count++) assert(rate.take(undefined));
    assert(!rate.isExhausted(undefined));
    const unlimited = new SessionRate(Infinity, () => 0);
    for (let count = 0; count < 10; count++) assert(unlimited.take("a"));
    assertEquals([rate.size, unlimited.size], [0, 0]);
  });
});
