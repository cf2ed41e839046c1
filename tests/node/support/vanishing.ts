// 1,000 clients that stall, vanish without closing their connection, and come
// back; prints what is left of them. Run by vanishing_test.ts in its own process.
import process from "node:process";
import {
  lastEventIdOf,
  openSocket,
  type RawSocket,
} from "../../e2e/support/raw_socket.ts";
import { until } from "../../e2e/support/until.ts";
import { heapUsed } from "../../memory/heap.ts";
import { connectionsOf, fill, startStreams } from "./streams.ts";

/** What 1,000 clients leave behind. */
export interface VanishedCosts {
  /** Sessions whose clients did not get exactly what they had missed. */
  readonly incomplete: readonly string[];
  /** How many stalled readers were evicted. */
  readonly evicted: number;
  /** Connections while all clients were back, and their streams. */
  readonly connections: number;
  readonly attached: number;
  /** Connections and sockets after all sessions were ended. */
  readonly connectionsLeft: number;
  readonly socketsLeft: number;
  /** Bytes that each client left behind. */
  readonly bytesPerClient: number;
  /** Errors that were reported. */
  readonly reported: number;
}

const CLIENTS = 1_000;
/** Each gets more than the buffers of the operating system: about 5 MB. */
const STALLED = 10;
/** Clients that connect at the same time. */
const AT_ONCE = 50;
const MISSED = 20;
/** More than the clients cause. */
const MAX_EVENTS = 1_500;
const TIMEOUT_MS = 30_000;

/** A client, its session, and its newest connection. */
interface Client {
  readonly id: string;
  socket: RawSocket;
  lastEventId: string;
}

await using server = await startStreams({
  streams: {
    replay: { maxEvents: MAX_EVENTS, maxBytes: 500_000_000, maxShare: 1 },
    backlog: { maxBytes: 1_048_576, maxAgeMs: Infinity },
  },
});
const { sessions } = server;
// Code is compiled, and the log is full.
await comeAndGo(CLIENTS / 2, 1);
for (let events = 0; events < MAX_EVENTS; events++) {
  await sessions.streams.send(undefined, `data: event ${events}\n\n`);
}
const before = await heapUsed();
const { incomplete, ...found } = await comeAndGo(CLIENTS, STALLED);
const after = await heapUsed();
const costs: VanishedCosts = {
  incomplete,
  ...found,
  evicted: server.evicted.size,
  socketsLeft: process.getActiveResourcesInfo()
    .filter((kind) => kind === "TCPSocketWrap").length,
  bytesPerClient: (after - before) / CLIENTS,
  reported: server.reported.length,
};
console.log(JSON.stringify(costs));

async function comeAndGo(count: number, stalled: number) {
  const clients = await inGroups(Array.from({ length: count }), begin);
  // Nothing tells the server that these clients are gone.
  for (const { socket } of clients) socket.pause();
  for (const { id } of clients.slice(0, stalled)) {
    await fill(server, id, 1);
    await until(
      () => {
        sessions.streams.send([id], `: ${"x".repeat(500_000)}\n\n`);
        return server.evicted.has(id);
      },
      "the eviction",
      TIMEOUT_MS,
    );
  }
  for (let number = 1; number <= MISSED; number++) {
    await sessions.streams.send(undefined, `data: missed ${number}.\n\n`);
  }
  const vanished = clients.map(({ socket }) => socket);
  const expected = Array.from({ length: MISSED }, (_, at) => `${at + 1}`);
  const incomplete: string[] = [];
  await inGroups(clients, async (client) => {
    await connect(client);
    const { socket, id } = client;
    await until(
      () => socket.received().includes(` ${MISSED}.`),
      "the rest",
      TIMEOUT_MS,
    );
    const numbers = [...socket.received().matchAll(/missed (\d+)\./g)]
      .map(([, number]) => number);
    if (String(numbers) !== String(expected)) incomplete.push(id);
  });
  await until(
    async () => await connectionsOf(server) === count,
    "the old connections to end",
    TIMEOUT_MS,
  );
  const connections = await connectionsOf(server);
  const { attached } = sessions.stats();
  await inGroups(clients, ({ id }) => sessions.end({ session: id }));
  await until(
    async () => await connectionsOf(server) === 0,
    "all connections to end",
    TIMEOUT_MS,
  );
  const connectionsLeft = await connectionsOf(server);
  for (const socket of vanished) socket.destroy();
  for (const { socket } of clients) socket.destroy();
  return { incomplete, connections, attached, connectionsLeft };
}

async function begin(): Promise<Client> {
  const id = await server.begin();
  const socket = await server.open(id);
  await sessions.streams.send([id], "data: first\n\n");
  await until(
    () => /^id: \S+$/m.test(socket.received()),
    "the first event",
    TIMEOUT_MS,
  );
  return { id, socket, lastEventId: lastEventIdOf(socket) };
}

async function connect(client: Client): Promise<void> {
  client.socket = await openSocket(server.url, "GET", {
    "mcp-session-id": client.id,
    "last-event-id": client.lastEventId,
  });
}

/** Does something with each item, a group at a time. */
async function inGroups<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...await Promise.all(items.slice(at, at + AT_ONCE).map(act)));
  }
  return results;
}
