import { assert, assertEquals } from "@std/assert";
import {
  type ConnectedSession,
  connectHttp,
  type ConnectOptions,
  type ReceivedNotification,
  summary,
} from "./clients.ts";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import type { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { until } from "./until.ts";
import type { RunningWorker, Workers } from "./workers.ts";
import { type Network, roundRobinNetwork } from "./workers_network.ts";

/** A client of the session era whose requests are distributed among the workers. */
export interface RoundRobinClient
  extends ConnectedSession<StreamableHTTPClientTransport> {
  readonly network: Network;
}

/**
 * Connects over Streamable HTTP. Resolves when the GET stream is open on one of
 * the workers.
 */
export async function connectRoundRobin(
  workers: Workers,
  options: Omit<ConnectOptions, "fetch"> = {},
): Promise<RoundRobinClient> {
  const network = roundRobinNetwork();
  const anyWorker = {
    has: (id: string) => workers.alive[0]!.call("has", id),
  };
  const connected = await connectHttp(workers.httpUrl, anyWorker, {
    ...options,
    fetch: network.fetch,
  });
  // The worker opens the stream before the client receives the response.
  await until(
    () => network.streamWorker() !== undefined,
    "the GET stream",
  );
  return { ...connected, network };
}

/** Connects clients, so that each worker owns at least one stream. */
export async function connectMany(
  workers: Workers,
  count: number,
  options: Omit<ConnectOptions, "fetch"> = {},
): Promise<RoundRobinClient[]> {
  const clients: RoundRobinClient[] = [];
  while (clients.length < count) {
    clients.push(await connectRoundRobin(workers, options));
  }
  const owners = clients.map(({ network }) => network.streamWorker());
  for (const { name } of workers.alive) {
    assert(owners.includes(name), `The streams are on workers ${owners}.`);
  }
  return clients;
}

/** Waits until each client has received a number of notifications. */
export async function waitForNotifications(
  clients: Iterable<
    { readonly notifications: readonly ReceivedNotification[] }
  >,
  count: number,
): Promise<void> {
  for (const { notifications } of clients) {
    await until(
      () => notifications.length >= count,
      () => `${count} notifications, but got ${notifications.length}`,
    );
  }
}

/** Returns the number of occurrences of each notification. */
export function countNotifications(
  { notifications }: {
    readonly notifications: readonly ReceivedNotification[];
  },
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const what of summary(notifications)) {
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

/** Returns the IDs of all sessions that got a reset. */
export async function resetsOf({ alive }: Workers): Promise<string[]> {
  const resets = await Promise.all(alive.map(({ call }) => call("resets")));
  return resets.flat();
}

/** Waits until all workers return the expected value. */
export async function assertOnEach<T>(
  workers: Workers,
  read: (worker: RunningWorker) => Promise<T>,
  expected: T,
): Promise<void> {
  const expectedJson = JSON.stringify(expected);
  for (const worker of workers.alive) {
    let last: T | undefined;
    await until(async () => {
      last = await read(worker).catch((error) => error);
      return JSON.stringify(last) === expectedJson;
    }, `"${expectedJson}" from worker ${worker.name}`)
      .catch(() => assertEquals(last, expected, `Worker ${worker.name}.`));
  }
}

/** Returns a frame with a number. */
export function frameOf(number: number): string {
  const message = {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: number },
  };
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** Returns the numbers of the notifications that have one. */
export function numbersOf(
  notifications: readonly ReceivedNotification[],
): number[] {
  return notifications
    .filter(({ method }) => method === "notifications/message")
    .map(({ params }) => Number(params?.data));
}
