import {
  ClosedError,
  DeliveryError,
  InMemorySubscriptionManager,
  type JSONRPCNotification,
  matchesSubscription,
  type SubscriptionFilter,
} from "@crossmcp/session-manager";
import { testSubscriptionManager } from "@crossmcp/session-manager/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "node:test";
import { callbacks, TOOLS, toolsChanged } from "../support/subscriptions.ts";

describe("InMemorySubscriptionManager", () => {
  testSubscriptionManager({
    test: it,
    create: (limits) => new InMemorySubscriptionManager(limits),
    dispose: (manager) => manager.closeAll(),
  });

  it("delivers exactly the notifications that matchesSubscription accepts", async () => {
    const uris = ["", "a", "file:///a", "file:///a b", " "];
    const filters: SubscriptionFilter[] = [];
    for (let bits = 0; bits < 2 ** (3 + uris.length); bits++) {
      filters.push({
        toolsListChanged: (bits & 1) > 0,
        promptsListChanged: (bits & 2) > 0,
        ...(bits & 4 ? { resourcesListChanged: true } : {}),
        resourceSubscriptions: uris.filter((_, i) => bits & (8 << i)),
      });
    }
    const methods = [
      "notifications/tools/list_changed",
      "notifications/prompts/list_changed",
      "notifications/resources/list_changed",
      "notifications/resources/updated",
      "notifications/resources/updated a",
      "notifications/progress",
    ];
    const notifications: JSONRPCNotification[] = methods.flatMap((method) => [
      { jsonrpc: "2.0" as const, method },
      ...[...uris, "b", 7, null].map((uri) => ({
        jsonrpc: "2.0" as const,
        method,
        params: { uri },
      })),
    ]);
    const manager = new InMemorySubscriptionManager();
    const received = filters.map(() => [] as unknown[]);
    for (const [id, filter] of filters.entries()) {
      await manager.create(
        { id, origin: "o", filters: filter },
        callbacks({ send: (message) => void received[id]!.push(message) }),
      );
    }
    for (const message of notifications) await manager.send(message);
    for (const [id, filter] of filters.entries()) {
      assertEquals(
        received[id],
        notifications.filter((message) => matchesSubscription(filter, message)),
      );
    }
    await manager.closeAll();
  });

  it("cancels a subscription whose send does not settle within maxAgeMs", async () => {
    const errors: Error[] = [];
    const manager = new InMemorySubscriptionManager({
      closeTimeoutMs: 10,
      maxAgeMs: 50,
      onError: (error) => errors.push(error),
    });
    const closed: string[] = [];
    await manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({
        send: () => new Promise(() => {}),
        close: (reason) => void closed.push(reason),
      }),
    );
    const start = performance.now();
    await manager.send(toolsChanged);
    while (closed.length === 0) await delay(5);
    assert(
      performance.now() - start >= 45,
      "The subscription was cancelled too early.",
    );
    assertEquals(closed, ["cancelled"]);
    assertInstanceOf(errors[0], DeliveryError);
    assertStringIncludes(String(errors[0]?.cause), "50 ms");
    assertEquals(await manager.close(1, "o", "closed"), false);
  });

  it("cancels a subscription whose queued notifications exceed maxAgeMs", async () => {
    const manager = new InMemorySubscriptionManager({
      closeTimeoutMs: 10,
      maxAgeMs: 100,
    });
    let accepted = 0;
    let closed = false;
    await manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({
        // Each call is fast enough, but the queue grows.
        send: async () => {
          accepted++;
          await delay(30);
        },
        close: () => {
          closed = true;
        },
      }),
    );
    for (let count = 0; count < 100; count++) void manager.send(toolsChanged);
    while (!closed) await delay(5);
    assert(
      accepted < 20,
      `${accepted} of 100 notifications were sent before the cancellation.`,
    );
  });

  it("rejects create if acknowledge does not settle within maxAgeMs", async () => {
    const manager = new InMemorySubscriptionManager({ maxAgeMs: 20 });
    const created = manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({ acknowledge: () => new Promise(() => {}) }),
    );
    // Keeps the process alive, which the manager's timer doesn't.
    const keepAlive = delay(100);
    await assertRejects(() => created, DeliveryError, "20 ms");
    await keepAlive;
    assertEquals(await manager.close(1, "o", "closed"), false);
  });

  it("reports an error thrown by send as a DeliveryError", async () => {
    const errors: Error[] = [];
    const manager = new InMemorySubscriptionManager({
      onError: (error) => errors.push(error),
    });
    const cause = new Error("stream closed");
    await manager.create(
      { id: "x", origin: "o", filters: TOOLS },
      callbacks({
        send: () => {
          throw cause;
        },
      }),
    );
    await manager.send(toolsChanged);
    assertEquals(errors.length, 1);
    assertInstanceOf(errors[0], DeliveryError);
    assertStringIncludes(`${errors[0]?.message}`, '"x" of origin "o"');
    assertEquals(errors[0]?.cause, cause);
    assertEquals((errors[0] as DeliveryError).subscription, {
      id: "x",
      origin: "o",
    });
  });

  it("allows callbacks to call the manager", async () => {
    const manager = new InMemorySubscriptionManager();
    const calls: unknown[] = [];
    await manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({
        send: async ({ params }) => {
          calls.push(params?.round ?? 0);
          if (calls.length === 1) {
            void manager.send({ ...toolsChanged, params: { round: 1 } });
            void manager.close(1, "o", "closed");
            await manager.create(
              { id: 2, origin: "o", filters: TOOLS },
              callbacks({ send: () => void calls.push("second") }),
            );
          }
        },
        close: (reason) => void calls.push(reason),
      }),
    );
    await manager.send(toolsChanged);
    await manager.closeAll();
    assertEquals(calls, [0, 1, "closed"]);
  });

  it("closeAll settles although a callback makes another subscription fail", async () => {
    const manager = new InMemorySubscriptionManager({ closeTimeoutMs: 200 });
    await manager.create(
      { id: 1, origin: "o", filters: {} },
      callbacks({ close: () => void manager.send(toolsChanged) }),
    );
    await manager.create(
      { id: 2, origin: "o", filters: TOOLS },
      callbacks({
        send: () => {
          throw new Error("stream closed");
        },
      }),
    );
    let settled = false;
    const closing = manager.closeAll().then(() => settled = true);
    await Promise.race([closing, delay(1_000)]);
    assert(settled, "closeAll did not settle.");
  });

  it("reports notifications that were lost when close timed out", async () => {
    const errors: Error[] = [];
    const manager = new InMemorySubscriptionManager({
      closeTimeoutMs: 20,
      onError: (error) => errors.push(error),
    });
    await manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({
        send: () => new Promise(() => {}),
        close: () => {
          throw new Error("close failed");
        },
      }),
    );
    void manager.send(toolsChanged);
    await manager.close(1, "o", "closed");
    assertEquals(errors.map(({ message }) => message).sort(), [
      'Subscription 1 of origin "o" failed to close.',
      'Subscription 1 of origin "o" was closed before it settled, after 20 ms.',
    ]);
  });

  it("drains a long queue in linear time", async () => {
    const [short, long] = [
      await timeToDrain(5_000),
      await timeToDrain(50_000),
    ];
    // Ten times as many. In quadratic time, it would take 100 times as long.
    assert(long < 40 * short, `It took ${short} ms, and then ${long} ms.`);
  });

  it("rejects new subscriptions after it was disposed", async () => {
    const calls: string[] = [];
    const manager = new InMemorySubscriptionManager();
    await manager.create(
      { id: 1, origin: "o", filters: TOOLS },
      callbacks({ close: (reason) => void calls.push(reason) }),
    );
    await manager[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
    assertEquals(calls, ["closed"]);
    await assertRejects(
      () =>
        manager.create({ id: 1, origin: "o", filters: TOOLS }, callbacks({})),
      ClosedError,
    );
    await manager.send(toolsChanged);
  });
});

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns how long it takes to drain a queue, in milliseconds. */
async function timeToDrain(length: number): Promise<number> {
  const manager = new InMemorySubscriptionManager({ closeTimeoutMs: 60_000 });
  let acknowledge = () => {};
  let received = 0;
  const created = manager.create(
    { id: 1, origin: "o", filters: TOOLS },
    callbacks({
      acknowledge: () => new Promise((resolve) => acknowledge = resolve),
      send: () => void received++,
    }),
  );
  for (let count = 0; count < length; count++) {
    void manager.send(toolsChanged);
  }
  const start = performance.now();
  acknowledge();
  await created;
  const took = performance.now() - start;
  assertEquals(received, length);
  await manager.closeAll();
  return took;
}
