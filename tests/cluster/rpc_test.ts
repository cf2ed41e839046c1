import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Rpc } from "../../src/cluster/messaging/rpc.ts";
import { Scheduler } from "../../src/runtime/scheduler.ts";

/** Runs with a scheduler whose clock advances. */
async function withScheduler(
  test: (scheduler: Scheduler) => Promise<void>,
): Promise<void> {
  const scheduler = new Scheduler();
  const task = { periodMs: 10, run: () => {} };
  scheduler.start(task);
  try {
    await test(scheduler);
  } finally {
    scheduler.stop(task);
  }
}

describe("Rpc", () => {
  it(
    "C7 returns the responses that arrived while the event loop was blocked",
    () =>
      withScheduler(async (scheduler) => {
        const requestIds: number[] = [];
        const rpc = new Rpc(
          (_, message) =>
            message.kind === "request" && requestIds.push(message.id),
          scheduler,
          () => {},
        );
        const responses = rpc.request(["n1"], { kind: "has", id: "s" }, 50);
        const unblockAt = performance.now() + 200;
        while (performance.now() < unblockAt);
        // The response is read after the timers that are overdue.
        setTimeout(() => rpc.onResponse("n1", requestIds[0]!, true), 1);
        assertEquals([...await responses], [["n1", true]]);
      }),
  );

  it("C4 ends after its timeout, without the nodes that have not responded", () =>
    withScheduler(async (scheduler) => {
      const rpc = new Rpc(() => {}, scheduler, () => {});
      const startedAt = performance.now();
      const responses = rpc.request(["n1"], { kind: "has", id: "s" }, 50);
      assertEquals([...await responses], []);
      assert(performance.now() - startedAt >= 49);
    }));
});
