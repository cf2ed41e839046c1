// Deno's sanitizers check timers, channels and other resources, but only in
// `Deno.test`. What must leave nothing behind runs here once more.
import {
  InMemoryInfoSessionManager,
  InMemorySessions,
  InMemoryStreamSessionManager,
} from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { quiet, sanitized } from "./sanitized.ts";

Deno.test({
  name: "S13 closed sessions leave nothing behind",
  ...sanitized,
  fn: async () => {
    const sessions = new InMemorySessions({
      subscriptions: { closeTimeoutMs: 20 },
    });
    const bodies = Array.from({ length: 10 }, (_, index) =>
      new ReadableStream({
        start: (controller) => sessions.streams.create(`${index}`, controller),
      }));
    await sessions.info.setLogLevel("0", "info");
    const filters = { toolsListChanged: true };
    const forever = () => new Promise<void>(() => {});
    for (
      const [id, callbacks] of [
        quiet,
        { ...quiet, send: forever },
        { ...quiet, close: forever },
        {
          ...quiet,
          send: () => {
            throw new Error("This stream is gone.");
          },
        },
      ].entries()
    ) {
      await sessions.subscriptions.create(
        { id, origin: "o", filters },
        callbacks,
      );
    }
    const unacknowledged = sessions.subscriptions.create(
      { id: "x", origin: "o", filters },
      { ...quiet, acknowledge: forever },
    );
    sessions.streams.send(undefined, "x");
    await sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
    });
    await sessions.close();
    assertEquals(await unacknowledged, true);
    for (const body of bodies) {
      assertEquals(await new Response(body).text(), "x");
    }
  },
});

Deno.test({
  name: "U5 a closed subscription leaves no timer behind",
  ...sanitized,
  fn: async () => {
    const { subscriptions } = new InMemorySessions();
    await subscriptions.create(
      { id: 1, origin: "o", filters: { toolsListChanged: true } },
      {
        ...quiet,
        send: () => new Promise((resolve) => setTimeout(resolve, 5)),
      },
    );
    await subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
    });
    await subscriptions.close(1, "o", "closed");
  },
});

Deno.test({
  name: "S13 keep-alive and backlog checks leave no timer behind",
  ...sanitized,
  fn: async () => {
    const streams = new InMemoryStreamSessionManager({
      keepAliveMs: 20,
      backlog: { maxAgeMs: 60 },
    });
    const [evicted, failed, deleted, closed] = [open(), open(), open(), open()];
    streams.create("evicted", evicted.controller);
    streams.create("failed", failed.controller);
    streams.create("deleted", deleted.controller);
    await until(() => streams.stats().evicted.age === 3);
    streams.create("deleted", deleted.controller);
    streams.delete("deleted");
    // No stream is left, and no timer runs until there is one again.
    await delay(20);
    streams.create("closed", closed.controller);
    await delay(20);
    await streams.close();
    await closed.body.cancel();
  },
});

Deno.test({
  name: "S13 streams that have ended leave no timer behind, without close()",
  ...sanitized,
  fn: async () => {
    const streams = new InMemoryStreamSessionManager({ keepAliveMs: 20 });
    const broken = open();
    streams.create("deleted", open().controller);
    streams.create("broken", broken.controller);
    broken.controller.error(new Error("gone"));
    await delay(30);
    streams.delete("deleted");
    streams.send(["broken"], "x");
    assertEquals(streams.stats().attached, 0);
  },
});

Deno.test({
  name: "S13 a drain leaves no timer behind, finished or interrupted",
  ...sanitized,
  fn: async () => {
    for (const isBrokenOff of [false, true]) {
      const streams = new InMemoryStreamSessionManager();
      const bodies = Array.from({ length: 30 }, (_, id) => {
        const { body, controller } = open();
        streams.create(`${id}`, controller);
        return body;
      });
      streams.send(undefined, "x");
      const drained = streams.close({ drainMs: 60 });
      // One in three does not read.
      const read = Promise.all(
        bodies.filter((_, at) => at % 3 > 0).map((body) =>
          new Response(body).text()
        ),
      );
      if (isBrokenOff) {
        await delay(20);
        await streams.close();
      }
      await drained;
      await read;
      assertEquals(streams.stats().attached, 0);
    }
    // Without streams there is nothing to wait for.
    await new InMemoryStreamSessionManager().close({ drainMs: 60_000 });
  },
});

Deno.test({
  name: "S13 a replay log leaves no timer behind",
  ...sanitized,
  fn: async () => {
    const closed = new InMemoryStreamSessionManager({ replay: {} });
    closed.send(undefined, "data: x\n\n");
    await closed.close();
    closed.send(undefined, "data: x\n\n");
    // Left alone, the timer runs until everything has expired, and no longer.
    const left = new InMemoryStreamSessionManager({ replay: { maxAgeMs: 40 } });
    left.send(undefined, "data: x\n\n");
    const lastEventId = left.latestEventId!.replace(/1$/, "0");
    await until(() => {
      left.prepareStream("a", { lastEventId });
      left.create("a", open().controller);
      left.delete("a");
      return left.stats().resets.purged > 0;
    });
    // The log is empty, but its timer notices that by itself.
    await delay(100);
  },
});

Deno.test({
  name: "I8 metadata that expires or is closed leaves no timer behind",
  ...sanitized,
  fn: async () => {
    const expired = new InMemoryInfoSessionManager({ idleTimeoutMs: 40 });
    await expired.setLogLevel("a", "info");
    await expired.addSubscription("b", "file:///b");
    await until(() => expired.expired === 2);
    const deleted = new InMemoryInfoSessionManager();
    await deleted.setLogLevel("a", "info");
    await deleted.delete("a");
    // Closed while it waits for the result of `streams.has`.
    let answer: ((isOpen: boolean) => void) | undefined;
    const asking = new InMemoryInfoSessionManager({
      idleTimeoutMs: 40,
      streams: { has: () => new Promise((resolve) => answer = resolve) },
    });
    await asking.setLogLevel("a", "info");
    await until(() => answer !== undefined);
    await asking.close();
    answer!(true);
    await delay(0);
  },
});

Deno.test({
  name: "S13 a turn that is not over at close() leaves nothing behind",
  ...sanitized,
  fn: async () => {
    const sessions = new InMemorySessions({ streams: { replay: {} } });
    const { body, controller } = open();
    sessions.streams.create("a", controller);
    sessions.streams.send(["a"], "data: 1\n\n");
    sessions.streams.send(["a"], "data: 2\n\n");
    await sessions.close();
    sessions.streams.send(["a"], "data: 3\n\n");
    const text = await new Response(body).text();
    assertEquals(text.match(/data: \d/g), ["data: 1", "data: 2"]);
  },
});

/** Waits for a condition that becomes true soon, also on a busy machine. */
async function until(isDone: () => boolean): Promise<void> {
  for (let left = 1_000; !isDone() && left > 0; left--) await delay(10);
  assert(isDone(), "The condition never became true.");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function open() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  });
  return { body, controller: controller! };
}
