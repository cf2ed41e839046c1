import { deepStrictEqual } from "node:assert/strict";
import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import type { ClusterContext } from "./cluster_context.ts";

/** Names that a backend may confuse, or take for a pattern. */
export const NAMES: readonly string[] = [
  "a",
  "A",
  "a:b",
  "a*",
  "*",
  "a ",
  "\u{1f600}",
  "__proto__",
  "ab",
];

/** A bus, and the messages that it has received. */
export interface Endpoint {
  readonly bus: MessageBus;
  readonly received: string[];
}

/** Starts a bus, and collects what it receives. */
export async function connect(
  context: ClusterContext,
  node: string,
  cluster?: string,
): Promise<Endpoint> {
  const received: string[] = [];
  const receive = (message: string) => void received.push(message);
  return { bus: await context.startBus(node, receive, cluster), received };
}

/** Publishes a message, and waits until the bus has done it. */
export async function publish(
  bus: MessageBus,
  message: string,
  to?: string,
): Promise<void> {
  await bus.publish(message, to);
}

/**
 * Waits for a call, and says which rule is broken if it fails.
 *
 * @param call The call.
 * @param what The rule.
 */
export async function rule(
  call: Promise<unknown>,
  what: string,
): Promise<void> {
  try {
    await call;
  } catch (cause) {
    throw new Error(`${what}, but it failed with: ${cause}`, { cause });
  }
}

/**
 * Waits for as many messages as expected, and compares them in any order.
 *
 * @param what The rule that is broken if they differ.
 */
export async function assertReceived(
  { waitUntil }: ClusterContext,
  received: readonly string[],
  expected: readonly string[],
  what: string,
): Promise<void> {
  await waitUntil(
    () => received.length >= expected.length,
    `${expected.length} messages. ${what}`,
  );
  deepStrictEqual([...received].sort(), [...expected].sort(), what);
}

/** Expects that no message is in flight to these buses. */
export async function assertNoneLeft(
  context: ClusterContext,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const [first, second] = endpoints;
  for (const { received } of endpoints) received.length = 0;
  await publish(first!.bus, "last");
  await publish(second!.bus, "last");
  for (const [at, { received }] of endpoints.entries()) {
    await assertReceived(
      context,
      received,
      at < 2 ? ["last"] : ["last", "last"],
      "A bus must deliver each message once, and none to its sender",
    );
  }
}
