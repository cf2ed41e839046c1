// Deno's sanitizers watch timers, channels and other resources, but only those of
// `Deno.test`. What must leave nothing behind is run here once more.
import {
  InMemorySessions,
  type SubscriptionCallbacks,
} from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";

const sanitized = {
  sanitizeOps: true,
  sanitizeResources: true,
  sanitizeExit: true,
};

const quiet: SubscriptionCallbacks = {
  acknowledge: () => {},
  send: () => {},
  close: () => {},
};

Deno.test({
  name: "S13 sessions that are closed leave nothing behind",
  ...sanitized,
  fn: async () => {
    const sessions = new InMemorySessions({
      subscriptions: { deadlineMs: 20 },
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
  name: "U5 a subscription that is closed leaves no timer behind",
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
