// Floods the guard with requests of hostile clients, and prints what each kind
// of request leaves behind. Run by floods_test.ts in its own process.
import {
  InMemorySessions,
  type RefusalReason,
} from "@crossmcp/session-manager";
import {
  TestClient,
  type TestClientOptions,
} from "../../src/testing/support/test_client.ts";
import { growthOf } from "./heap.ts";

/** What is left of the floods. */
export interface FloodCosts {
  /** Bytes that a request left behind, by the kind of flood. */
  readonly bytesPerRequest: Readonly<Record<string, number>>;
  /** Why requests were refused, by the kind of flood. */
  readonly refused: Readonly<Record<string, readonly RefusalReason[]>>;
  readonly sessions: number;
  /** The statuses of the honest client after each flood. */
  readonly honest: readonly number[];
}

/** Requests of each kind in each round. */
const REQUESTS = 5_000;
/** Requests at the same time. */
const AT_ONCE = 50;
const MAX_SESSIONS = 100;

const reasons = new Set<RefusalReason>();
const sessions = new InMemorySessions({
  streams: { replay: {} },
  info: { maxSessions: MAX_SESSIONS },
  onRefuse: (reason) => reasons.add(reason),
});
const honest = await TestClient.begin(sessions, { principal: "honest" });
const victim = honest.id;
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { clientInfo: { name: "a", version: "1" }, capabilities: {} },
};
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const random = () => crypto.randomUUID();

/** What a request of each flood is. */
const floods: Record<string, () => Promise<Response>> = {
  "initialize of one principal": () =>
    client({ principal: "mallory" }).request("POST", {}, initialize),
  "initialize of many principals": () =>
    client({ principal: random() }).request("POST", {}, initialize),
  "GET without a session": () => client().request("GET"),
  "GET of a random session": () => client({ id: random() }).request("GET"),
  "DELETE of a random session": () =>
    client({ id: random() }).request("DELETE"),
  "POST to a random session": () =>
    client({ id: random() }).request("POST", {}, ping),
  "Last-Event-ID of a random session": () =>
    client({ id: random() }).request("GET", { "last-event-id": random() }),
  "the session of somebody else": () =>
    client({ id: victim, principal: "mallory" }).request("GET", {
      "last-event-id": random(),
    }),
};

const bytesPerRequest: Record<string, number> = {};
const refused: Record<string, RefusalReason[]> = {};
const statuses: number[] = [];
for (const [name, request] of Object.entries(floods)) {
  reasons.clear();
  // The first ones load and compile everything.
  await flood(request);
  const growth = await growthOf(() => flood(request), 2);
  bytesPerRequest[name] = growth / REQUESTS;
  refused[name] = [...reasons].sort();
  statuses.push(await honest.ping());
}
const costs: FloodCosts = {
  bytesPerRequest,
  refused,
  sessions: sessions.stats().sessions,
  honest: statuses,
};
console.log(JSON.stringify(costs));
await sessions.close();

function client(options?: TestClientOptions): TestClient {
  return new TestClient(sessions, options);
}

async function flood(request: () => Promise<Response>): Promise<void> {
  for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      const response = await request();
      await response.body?.cancel();
    }));
  }
  // New sessions are counted for a second.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
}
