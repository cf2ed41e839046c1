import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { latencies, percentile } from "../../bench/http/latencies.ts";

describe("The latencies of events", () => {
  it("start at the call of send, on the receiver's clock", () => {
    // The third and the fourth event, sent at 110 and 120 on a clock that is
    // 100 ahead.
    const sentAt = [110, 120];
    const found = latencies(
      [[3, 4, 25], [3, 3, 12], [4, 4, 30]],
      sentAt,
      2,
      100,
    );
    assertEquals([...found], [2, 5, 10, 15]);
  });

  it("leave out events that were not timed", () => {
    assertEquals([...latencies([[1, 2, 5]], [], 0, 0)], []);
  });

  it("have percentiles that were measured", () => {
    const sorted = Float64Array.from({ length: 200 }, (_, at) => at + 1);
    assertEquals(percentile(sorted, 50), 100);
    assertEquals(percentile(sorted, 99), 198);
    assertEquals(percentile(Float64Array.of(7), 99), 7);
    assertEquals(percentile(Float64Array.of(), 99), NaN);
  });
});
