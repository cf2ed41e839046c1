// Floods the guard with requests of hostile clients, and prints what each kind
// of request takes and leaves behind. Run by floods_test.ts in its own process,
// or by hand: then it prints each kind when it is done.
import {
  InMemorySessions,
  type RefusalReason,
} from "@crossmcp/session-manager";
import process from "node:process";
import { frame, TestClient } from "../../src/testing/support/test_client.ts";
import { type Flood, FLOODED, floodsOf } from "./flood_kinds.ts";
import { FloodSender, type HonestPings } from "./flood_sender.ts";
import { growthOf, heapUsed } from "./heap.ts";

/** What a flood took, and what is left of it. */
export interface FloodCosts {
  readonly name: string;
  readonly requests: number;
  /** Bytes of heap in use before and after it. */
  readonly heap: readonly [before: number, after: number];
  /** Bytes that each request left behind. */
  readonly bytesPerRequest: number;
  /** Microseconds of processor time of a request, with sending it. */
  readonly cpuPerRequest: number;
  /** The statuses of the responses. */
  readonly statuses: readonly number[];
  readonly expected: readonly RefusalReason[];
  readonly refused: readonly RefusalReason[];
  readonly honest: HonestPings;
  /** Sessions at the end. */
  readonly sessions: number;
}

/** Requests of each kind. */
const REQUESTS = Number(process.env.FLOOD_REQUESTS ?? 15_000);
/** How long each kind may take, in milliseconds. */
const MAX_MS = Number(process.env.FLOOD_MINUTES ?? 5) * 60_000;
/** The first ones load and compile everything. */
const WARM_UP = Math.min(5_000, REQUESTS / 3);
const ROUNDS = 2;
/** Events in the replay log. None is for a client here. */
const EVENTS = 10_000;
const isForTest = process.argv.includes("--json");

const reasons = new Set<RefusalReason>();
const sessions = new InMemorySessions({
  ...FLOODED,
  onRefuse: (reason) => reasons.add(reason),
});
const honest = await TestClient.begin(sessions, { principal: "honest" });
const mallory = await TestClient.begin(sessions, { principal: "mallory" });
for (let event = 0; event < EVENTS; event++) {
  await sessions.streams.send([`other ${event % 100}`], frame("x"));
}

const all: FloodCosts[] = [];
for (const flood of floodsOf(sessions, { honest, mallory })) {
  all.push(await measure(flood));
  if (!isForTest) print(all.at(-1)!);
}
if (isForTest) console.log(JSON.stringify(all));
await sessions.close();

async function measure(flood: Flood): Promise<FloodCosts> {
  const refused = new Set<RefusalReason>();
  const sender = new FloodSender(flood, honest);
  const send = async (count: number) => {
    reasons.clear();
    await sender.send(count, MAX_MS * count / REQUESTS);
    for (const reason of reasons) refused.add(reason);
    if (flood.isRemembered) await forgetPrincipals();
  };
  await send(WARM_UP);
  const warmUp = sender.sent;
  const before = await heapUsed();
  const growth = await growthOf(
    () => send(Math.round((REQUESTS - WARM_UP) / ROUNDS)),
    ROUNDS,
  );
  const perRound = (sender.sent - warmUp) / ROUNDS;
  return {
    name: flood.name,
    requests: sender.sent,
    heap: [before, await heapUsed()],
    bytesPerRequest: growth / perRound,
    cpuPerRequest: sender.cpuMicros / sender.sent,
    statuses: [...sender.statuses].sort(),
    expected: flood.refused,
    refused: [...refused].sort(),
    honest: sender.honest,
    sessions: sessions.stats().sessions,
  };
}

/** Principals are remembered until another one begins a session later. */
async function forgetPrincipals(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const late = new TestClient(sessions, { principal: "late" });
  await (await late.initialize()).body?.cancel();
}

function print(costs: FloodCosts): void {
  const { name, requests, statuses, refused, honest } = costs;
  const [before, after] = costs.heap.map((bytes) => (bytes / 1e6).toFixed(2));
  const why = refused.length === 0 ? "" : ` (${refused.join(", ")})`;
  console.log(
    `${name}: ${requests.toLocaleString("en")} requests\n` +
      `  ${statuses.join(", ")}${why}\n` +
      `  heap ${before} MB before, ${after} MB after, ` +
      `${costs.bytesPerRequest.toFixed(2)} bytes a request\n` +
      `  ${costs.cpuPerRequest.toFixed(0)} µs of processor time a request\n` +
      `  honest client: ${honest.count} pings, ${honest.refused} refused, ` +
      `median ${honest.medianMs.toFixed(1)} ms`,
  );
}
