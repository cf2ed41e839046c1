import {
  ClosedError,
  InMemoryStreamSessionManager,
} from "@crossmcp/session-manager";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { openStream } from "../support/streams.ts";

describe("InMemoryStreamSessionManager.close with drainMs", () => {
  it("S13 closes streams in the order in which they were attached", async () => {
    const manager = new InMemoryStreamSessionManager();
    const ended: string[] = [];
    const rests: Promise<unknown>[] = [];
    for (const id of ["a", "b", "c", "d"]) {
      const { controller, readToEnd } = openStream();
      manager.create(id, controller);
      rests.push(readToEnd().then(() => ended.push(id)));
    }
    const closing = manager.close({ drainMs: 100 });
    assertThrows(
      () => manager.create("e", openStream().controller),
      ClosedError,
    );
    // A second call doesn't extend the drain.
    await Promise.all([closing, manager.close({ drainMs: 60_000 })]);
    await Promise.all(rests);
    assertEquals(ended, ["a", "b", "c", "d"]);
  });

  it("S13 resolves at once if no stream is attached", async () => {
    const manager = new InMemoryStreamSessionManager();
    await manager.close({ drainMs: 60_000 });
    await manager.close({ drainMs: 60_000 });
    await manager[Symbol.asyncDispose]();
  });

  it("S13 aborts streams that are not read within drainMs", async () => {
    const manager = new InMemoryStreamSessionManager();
    const stalled = openStream();
    manager.create("a", stalled.controller);
    manager.send(["a"], "not read in time");
    await manager.close({ drainMs: 20 });
    await assertRejects(
      () => stalled.reader.read(),
      ClosedError,
      "shutting down",
    );
  });
});
