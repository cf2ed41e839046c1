/**
 * Notifying the subscriptions that asked for something, for `deno bench`, until
 * all callbacks were called; and starting and ending a subscription. The lower
 * bound just calls the callbacks.
 */
import { InMemorySubscriptionManager as Peer } from "@tmcp/session-manager";
import {
  InMemorySubscriptionManager as Ours,
  type JSONRPCNotification,
  type SubscriptionFilter,
} from "../mod.ts";

const OURS = "@crossmcp/session-manager";
const PEER = "@tmcp/session-manager";
const TOOLS = {
  jsonrpc: "2.0",
  method: "notifications/tools/list_changed",
} satisfies JSONRPCNotification;
const UPDATED = {
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  params: { uri: "file:///0" },
} satisfies JSONRPCNotification;

let called = 0;
let wanted = 0;
let onAll: () => void = () => {};
const callbacks = {
  acknowledge: () => {},
  send: () => {
    if (++called === wanted) onAll();
  },
  close: () => {},
};

for (const count of [1_000, 10_000, 100_000]) {
  const all = count.toLocaleString("en");
  notify(`to all ${all}`, count, TOOLS, () => ({ toolsListChanged: true }));
  notify(`to 10 of ${all}`, count, UPDATED, (at) => ({
    resourceSubscriptions: [`file:///${at % (count / 10)}`],
  }));
}

/** Each manager is filled for its turn and dropped afterwards. */
function notify(
  group: string,
  count: number,
  notification: typeof TOOLS | typeof UPDATED,
  filters: (at: number) => SubscriptionFilter,
): void {
  const isForAll = group.startsWith("to all");
  const reached = isForAll ? count : 10;
  // Once is too short to time.
  const times = isForAll ? 1 : 100;
  const contenders: Record<string, () => Promise<() => unknown>> = {
    [OURS]: async () => {
      const manager = new Ours();
      await fill(manager, count, filters);
      return () => manager.send(notification);
    },
    [PEER]: async () => {
      const manager = new Peer();
      await fill(manager, count, filters);
      return () => manager.send(notification);
    },
    "bare calls": () =>
      Promise.resolve(() => {
        for (let at = 0; at < reached; at++) callbacks.send();
      }),
  };
  for (const [name, open] of Object.entries(contenders)) {
    let send: Promise<() => unknown> | undefined;
    Deno.bench({
      name,
      group: isForAll
        ? `a notification ${group}`
        : `${times} notifications ${group}`,
      baseline: name === OURS,
      n: count > 10_000 ? 20 : 100,
      warmup: 5,
      async fn(b) {
        const notifyAll = await (send ??= open());
        called = 0;
        wanted = reached * times;
        const done = new Promise<void>((resolve) => onAll = resolve);
        b.start();
        for (let left = times; left > 0; left--) void notifyAll();
        await done;
        b.end();
      },
    });
  }
}

async function fill(
  manager: Ours | Peer,
  count: number,
  filters: (at: number) => SubscriptionFilter,
): Promise<void> {
  for (let id = 0; id < count; id++) {
    const subscription = { id, origin: "a", filters: filters(id) };
    await manager.create(subscription, callbacks);
  }
}

for (
  const [name, manager] of [[OURS, new Ours()], [PEER, new Peer()]] as const
) {
  await fill(manager, 10_000, () => ({ toolsListChanged: true }));
  let id = 10_000;
  Deno.bench({
    name,
    group: "start and end a subscription among 10,000, 100 times",
    baseline: name === OURS,
    async fn() {
      for (let left = 100; left > 0; left--) {
        const filters = { resourceSubscriptions: ["file:///a"] };
        await manager.create({ id: ++id, origin: "a", filters }, callbacks);
        await manager.close(id, "a", "closed");
      }
    },
  });
}
