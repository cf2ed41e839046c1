// Sends to readers that have all stopped reading, and prints what that costs. Run
// by stalled_test.ts, with the name of an engine and of the limit that is to hold.
import process from "node:process";
import { Crowd, STALLED } from "../e2e/support/load_clients.ts";
import { serveCrowd } from "../e2e/support/load_server.ts";
import type { Engine } from "../e2e/support/serve.ts";
import { until } from "../e2e/support/until.ts";
import { collect, heapUsed, memoryUsed } from "./heap.ts";

/** What it costs; bytes are in addition to those of idle connections. */
export interface StalledCosts {
  readonly readers: number;
  readonly evicted: { readonly bytes: number; readonly age: number };
  /** The most that was unread, on all connections together. */
  readonly mostQueued: number;
  /** What may be unread on a connection, and what is sent at a time. */
  readonly maxBytes: number;
  readonly textBytes: number;
  /** The most memory that was in use meanwhile, and that the process had. */
  readonly mostUsed: number;
  readonly mostResident: number;
  /** What is left when all are evicted, and when their connections are closed. */
  readonly usedAfterwards: number;
  readonly usedWithoutClients: number;
  /** Milliseconds that a send took while something was unread. */
  readonly sendMs: number;
}

const READERS = 50;
const TEXT = ":".padEnd(65_534, "x") + "\n\n";
/** More than operating systems take over for a connection. */
const ROUNDS = 100;
const MAX_BYTES = 262_144;
const MAX_AGE_MS = 600;

const [engine, limit] = process.argv.slice(-2) as [Engine, "bytes" | "age"];
await using server = await serveCrowd(engine, {
  backlog: limit === "bytes"
    ? { maxBytes: MAX_BYTES, maxAgeMs: Infinity }
    : { maxBytes: Infinity, maxAgeMs: MAX_AGE_MS },
});
const { streams } = server.sessions;
const crowd = new Crowd(server.url);
await crowd.open("stalled", READERS, STALLED);
const ids = Array.from({ length: READERS }, (_, index) => `stalled-${index}`);

await heapUsed();
const atRest = memoryUsed();
let [mostQueued, mostUsed, mostResident] = [0, 0, 0];
const sendMs: number[] = [];
for (let round = 0; round < ROUNDS && streams.stats().attached > 0; round++) {
  const attached = ids.filter((id) => !server.evicted.has(id));
  const start = performance.now();
  for (const id of attached) streams.send([id], TEXT);
  const ms = performance.now() - start;
  if (mostQueued > 0) sendMs.push(ms / attached.length);
  await new Promise((resolve) => setTimeout(resolve, 2));
  mostQueued = Math.max(mostQueued, streams.stats().queuedBytes);
  if (round % 4 > 0) continue;
  // Garbage is not what is looked for, and would hide it.
  await collect();
  const { used, resident } = memoryUsed();
  mostUsed = Math.max(mostUsed, used - atRest.used);
  mostResident = Math.max(mostResident, resident - atRest.resident);
}
await until(() => server.evicted.size === READERS, "the last eviction");
await heapUsed();
const usedAfterwards = memoryUsed().used - atRest.used;
await crowd[Symbol.asyncDispose]();
await heapUsed();
const costs: StalledCosts = {
  readers: READERS,
  evicted: streams.stats().evicted,
  mostQueued,
  maxBytes: MAX_BYTES,
  textBytes: TEXT.length,
  mostUsed,
  mostResident,
  usedAfterwards,
  usedWithoutClients: memoryUsed().used - atRest.used,
  sendMs: median(sendMs),
};
console.log(JSON.stringify(costs));
process.exit();

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1] ?? NaN;
}
