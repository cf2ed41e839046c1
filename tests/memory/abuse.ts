// A thousand hostile clients beside a hundred honest ones: prints how long the
// honest ones wait, what they lose, and how the heap grows. Run by
// abuse_test.ts in its own process, or by hand.
import { InMemorySessions } from "@crossmcp/session-manager";
import process from "node:process";
import { frame, TestClient } from "../../src/testing/support/test_client.ts";
import { heapUsed } from "./heap.ts";
import { HostileClient } from "./hostile_client.ts";

/** What hostile clients cost honest ones. */
export interface AbuseCosts {
  /** The median wait for a ping, in milliseconds. */
  readonly waitMs: { readonly alone: number; readonly together: number };
  readonly notifications: number;
  /** Honest clients that did not receive all of them, once and in order. */
  readonly lost: number;
  /** Requests of honest clients that were refused. */
  readonly honestRefused: number;
  readonly hostileRefused: number;
  readonly hostileSessions: number;
  /** The heap in use when the hostile clients have all they can get. */
  readonly heap: { readonly before: number; readonly after: number };
  /** Sessions with a subscription to a resource above the limit. */
  readonly aboveLimit: number;
}

const HONEST = 100;
const HOSTILE = 1_000;
const MAX_SESSIONS = 3;
const MAX_SUBSCRIPTIONS = 20;
const SECONDS = Number(process.env.ABUSE_SECONDS ?? 3);
/** Notifications to each honest client, with the pings, in a second. */
const PER_SECOND = 25;

let hostileRefused = 0;
let honestRefused = 0;
const sessions = new InMemorySessions({
  streams: { replay: { maxEvents: 2_000 } },
  info: {
    maxSessionsPerPrincipal: MAX_SESSIONS,
    maxSubscriptionsPerSession: MAX_SUBSCRIPTIONS,
    maxClientInfoBytes: 1_000,
  },
  http: { maxNewSessionsPerSecond: 10, maxBodyBytes: 10_000 },
  onRefuse: (_, principal) => {
    if (principal?.startsWith("honest")) honestRefused++;
    else hostileRefused++;
  },
});
const honest = await Promise.all(
  Array.from({ length: HONEST }, async (_, index) => {
    const principal = `honest ${index}`;
    const client = await TestClient.begin(sessions, { principal });
    const response = await client.request("GET");
    const reading = countInOrder(response.body!);
    return { client, reading };
  }),
);
let sent = 0;

const alone = await serve(Math.min(SECONDS, 10));
const hostile = Array.from(
  { length: HOSTILE },
  (_, index) => new HostileClient(sessions, index, MAX_SUBSCRIPTIONS),
);
for (const client of hostile) await client.takeAll(MAX_SESSIONS);
let state: "active" | "paused" | "over" = "active";
const attacks = hostile.map((client) => client.attack(() => state));
// They do everything at least once, and everything is compiled.
await serve(Math.min(SECONDS, 10));
const before = await heapInPause();
const together = await serve(SECONDS);
const after = await heapInPause();
state = "over";
await Promise.all(attacks);
for (const { client } of honest) {
  await sessions.streams.send([client.id], frame("last"));
}
const received = await Promise.all(honest.map(({ reading }) => reading));
const above = await sessions.info.getSubscriptions(
  `file:///${MAX_SUBSCRIPTIONS}`,
);
const costs: AbuseCosts = {
  waitMs: { alone, together },
  notifications: sent,
  lost: received.filter((count) => count !== sent).length,
  honestRefused,
  hostileRefused,
  hostileSessions: hostile.reduce((sum, { begun }) => sum + begun, 0),
  heap: { before, after },
  aboveLimit: above.length,
};
console.log(JSON.stringify(costs));
await sessions.close();

/** Returns the heap in use while no hostile client does anything. */
async function heapInPause(): Promise<number> {
  state = "paused";
  await new Promise((resolve) => setTimeout(resolve, 200));
  const used = await heapUsed();
  state = "active";
  return used;
}

/** Notifies and pings every honest client; returns the median wait. */
async function serve(seconds: number): Promise<number> {
  const waits: number[] = [];
  const end = performance.now() + seconds * 1_000;
  for (let count = 0; performance.now() < end; count++) {
    const text = `${sent++}`;
    for (const { client } of honest) {
      void sessions.streams.send([client.id], frame(text));
    }
    const { client } = honest[count % HONEST]!;
    const startedAt = performance.now();
    const status = await client.ping();
    if (status !== 200) throw new Error(`A ping got ${status}.`);
    waits.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / PER_SECOND));
  }
  return waits.sort((a, b) => a - b)[waits.length >> 1]!;
}

/**
 * Reads notifications up to the last one; returns how many there were, or NaN if
 * they were not the expected ones in order. Keeps none.
 */
async function countInOrder(stream: ReadableStream): Promise<number> {
  let count = 0;
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === "data: last") return count;
      if (line.length <= "data: ".length || !line.startsWith("data: ")) {
        continue;
      }
      count = line === `data: ${count}` ? count + 1 : NaN;
    }
  }
  return NaN;
}
