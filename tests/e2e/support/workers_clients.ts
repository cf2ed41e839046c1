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

/** A client of the session era whose requests reach one worker after the other. */
export interface RoundRobinClient
  extends ConnectedSession<StreamableHTTPClientTransport> {
  readonly network: Network;
}

/** Connects over Streamable HTTP; its stream is open on one of the workers then. */
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
  // The stream is open before its client knows.
  await until(
    () => network.streamWorker() !== undefined,
    "the stream of notifications",
  );
  return { ...connected, network };
}

/** Connects so many that each worker has streams of some. */
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
    assert(owners.includes(name), `They have streams on workers ${owners}.`);
  }
  return clients;
}

/** Waits until each of them has had so many notifications. */
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

/** How often each notification was there. */
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

/** Returns the sessions of all streams that workers have reset. */
export async function resetsOf({ alive }: Workers): Promise<string[]> {
  const resets = await Promise.all(alive.map(({ call }) => call("resets")));
  return resets.flat();
}

/** Waits until all workers answer the same, and fails where one does not. */
export async function assertOnEach<T>(
  workers: Workers,
  read: (worker: RunningWorker) => Promise<T>,
  expected: T,
): Promise<void> {
  const wanted = JSON.stringify(expected);
  for (const worker of workers.alive) {
    let last: T | undefined;
    await until(async () => {
      last = await read(worker).catch((error) => error);
      return JSON.stringify(last) === wanted;
    }, `"${wanted}" of worker ${worker.name}`)
      .catch(() => assertEquals(last, expected, `Worker ${worker.name}.`));
  }
}

/** A notification with a number. */
export function frameOf(number: number): string {
  const message = {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: number },
  };
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

/** The numbers of those notifications that have one. */
export function numbersOf(
  notifications: readonly ReceivedNotification[],
): number[] {
  return notifications
    .filter(({ method }) => method === "notifications/message")
    .map(({ params }) => Number(params?.data));
}
