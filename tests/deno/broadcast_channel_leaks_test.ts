// Deno's sanitizers check timers and channels, but only in `Deno.test`: a
// closed node of a cluster must leave nothing behind.
import {
  BroadcastChannelInfoSessionManager,
  BroadcastChannelSessions,
  BroadcastChannelStreamSessionManager,
  BroadcastChannelSubscriptionManager,
} from "@crossmcp/session-manager/broadcast-channel";
import { assertEquals, assertThrows } from "@std/assert";
import { quiet, sanitized } from "./sanitized.ts";

const TOOLS = {
  jsonrpc: "2.0",
  method: "notifications/tools/list_changed",
} as const;

Deno.test({
  name: "S13 nodes that worked together leave nothing behind",
  ...sanitized,
  fn: async () => {
    const name = crypto.randomUUID();
    const options = { streams: { replay: {} }, cluster: { heartbeatMs: 50 } };
    const nodes = Array.from(
      { length: 3 },
      () => new BroadcastChannelSessions(name, options),
    );
    await Promise.all(nodes.map(({ ready }) => ready));
    const [a, b, c] = nodes as [
      BroadcastChannelSessions,
      BroadcastChannelSessions,
      BroadcastChannelSessions,
    ];
    const body = new ReadableStream({
      start: (controller) => b.streams.create("b", controller),
    });
    const text = new Response(body).text();
    await a.info.setLogLevel("b", "alert");
    await c.subscriptions.create(
      { id: 1, origin: "o", filters: { toolsListChanged: true } },
      quiet,
    );
    await a.streams.send(undefined, "data: x\n\n");
    await a.subscriptions.send(TOOLS);
    assertEquals(await c.streams.has("b"), true);
    assertEquals(await c.info.getLogLevel("b"), "alert");
    // Heartbeats go on for a while.
    await delay(120);
    for (const node of nodes) await node.close();
    assertEquals((await text).includes("data: x"), true);
  },
});

Deno.test({
  name: "S13 nodes that are closed at once leave nothing behind",
  ...sanitized,
  fn: async () => {
    const name = crypto.randomUUID();
    const nodes = Array.from(
      { length: 4 },
      () => new BroadcastChannelSessions(name),
    );
    await Promise.all(nodes.map((node) => node.close()));
    const late = new BroadcastChannelSessions(name);
    await late.close();
    await late.close();
    const drained = new BroadcastChannelSessions(name);
    await drained.ready;
    await drained.close({ drainMs: 50 });
  },
});

Deno.test({
  name: "S13 a node that is closed during discovery leaves nothing behind",
  ...sanitized,
  fn: async () => {
    const node = new BroadcastChannelSessions(crypto.randomUUID());
    await delay(5);
    await node.close();
  },
});

Deno.test({
  name:
    "S13 a node that is closed while it waits for others leaves nothing behind",
  ...sanitized,
  fn: async () => {
    const name = crypto.randomUUID();
    const [a, b] = [
      new BroadcastChannelSessions(name),
      new BroadcastChannelSessions(name),
    ];
    await Promise.all([a.ready, b.ready]);
    const waiting = [
      a.streams.has("unknown"),
      a.streams.delete("unknown"),
      a.info.getLogLevel("unknown"),
      a.info.setLogLevel("a", "info"),
      a.streams.send(undefined, "data: x\n\n"),
      a.subscriptions.send(TOOLS),
      a.subscriptions.close(1, "o", "closed"),
    ];
    const settled = Promise.allSettled(waiting);
    await Promise.all([b.close(), a.close()]);
    // None of them still waits.
    await settled;
  },
});

Deno.test({
  name: "S13 single managers leave nothing behind",
  ...sanitized,
  fn: async () => {
    const name = crypto.randomUUID();
    const streams = new BroadcastChannelStreamSessionManager(name);
    const info = new BroadcastChannelInfoSessionManager(name);
    const subscriptions = new BroadcastChannelSubscriptionManager(name);
    assertEquals(await streams.has("a"), false);
    await info.setLogLevel("a", "info");
    await subscriptions.send(TOOLS);
    for (const manager of [streams, info, subscriptions]) {
      await manager[Symbol.asyncDispose]();
    }
  },
});

Deno.test({
  name: "S13 a node whose constructor throws leaves nothing behind",
  ...sanitized,
  fn: () => {
    for (
      const options of [
        { cluster: { heartbeatMs: -1 } },
        { streams: { maxSessions: -1 } },
        { info: { idleTimeoutMs: -1 } },
        { subscriptions: { closeTimeoutMs: -1 } },
        { onError: "nobody" as never },
      ]
    ) {
      assertThrows(() => new BroadcastChannelSessions("name", options));
    }
  },
});

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
