// Sends to readers that have all stopped reading, and prints the cost. Run by
// stalled_test.ts, with the name of an engine and of the limit.
import process from "node:process";
import { LoadClients, STALLED } from "../e2e/support/load_clients.ts";
import { startLoadServer } from "../e2e/support/load_server.ts";
import type { Engine } from "../e2e/support/serve.ts";
import { until } from "../e2e/support/until.ts";
import { collect, heapUsed, memoryUsed } from "./heap.ts";

/** The cost, in addition to that of idle connections. */
export interface StalledCosts {
  readonly readers: number;
  readonly evicted: { readonly bytes: number; readonly age: number };
  /** The maximum of unread bytes on all connections together. */
  readonly maxQueued: number;
  /** The limit of unread bytes on a connection, and the size of a frame. */
  readonly maxBytes: number;
  readonly textBytes: number;
  /** The maximum of memory in use meanwhile, and of resident memory. */
  readonly maxUsed: number;
  readonly maxResident: number;
  /** The memory left after all evictions, and after the connections are closed. */
  readonly usedAfterwards: number;
  readonly usedWithoutClients: number;
  /** Milliseconds of a send while data was unread. */
  readonly sendMs: number;
}

const READERS = 50;
const TEXT = ":".padEnd(65_534, "x") + "\n\n";
/** More than operating systems buffer for a connection. */
const ROUNDS = 100;
const MAX_BYTES = 262_144;
const MAX_AGE_MS = 600;

const [engine, limit] = process.argv.slice(-2) as [Engine, "bytes" | "age"];
await using server = await startLoadServer(engine, {
  backlog: limit === "bytes"
    ? { maxBytes: MAX_BYTES, maxAgeMs: Infinity }
    : { maxBytes: Infinity, maxAgeMs: MAX_AGE_MS },
});
const { streams } = server.sessions;
const clients = new LoadClients(server.url);
await clients.open("stalled", READERS, STALLED);
const ids = Array.from({ length: READERS }, (_, index) => `stalled-${index}`);

await heapUsed();
const atRest = memoryUsed();
let [maxQueued, maxUsed, maxResident] = [0, 0, 0];
const sendMs: number[] = [];
for (let round = 0; round < ROUNDS && streams.stats().attached > 0; round++) {
  const attached = ids.filter((id) => !server.evicted.has(id));
  const start = performance.now();
  for (const id of attached) streams.send([id], TEXT);
  const ms = performance.now() - start;
  if (maxQueued > 0) sendMs.push(ms / attached.length);
  await new Promise((resolve) => setTimeout(resolve, 2));
  maxQueued = Math.max(maxQueued, streams.stats().queuedBytes);
  if (round % 4 > 0) continue;
  // Garbage would hide the result.
  await collect();
  const { used, resident } = memoryUsed();
  maxUsed = Math.max(maxUsed, used - atRest.used);
  maxResident = Math.max(maxResident, resident - atRest.resident);
}
await until(() => server.evicted.size === READERS, "the last eviction");
await heapUsed();
const usedAfterwards = memoryUsed().used - atRest.used;
await clients[Symbol.asyncDispose]();
await heapUsed();
const costs: StalledCosts = {
  readers: READERS,
  evicted: streams.stats().evicted,
  maxQueued,
  maxBytes: MAX_BYTES,
  textBytes: TEXT.length,
  maxUsed,
  maxResident,
  usedAfterwards,
  usedWithoutClients: memoryUsed().used - atRest.used,
  sendMs: median(sendMs),
};
console.log(JSON.stringify(costs));
process.exit();

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1] ?? NaN;
}
