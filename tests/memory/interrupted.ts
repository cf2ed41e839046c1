// What is left of 10,000 requests whose client was cut off and never came back.
// Run by interrupted_test.ts.
import { InMemorySessions } from "@crossmcp/session-manager";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { growthOf } from "./heap.ts";

const REQUESTS = 10_000;
const MAX_AGE_MS = 1_000;

const sessions = new InMemorySessions({
  streams: { replay: { maxAgeMs: MAX_AGE_MS } },
});
const client = await TestClient.begin(sessions);

async function interrupt(count: number): Promise<void> {
  for (let id = 0; id < count; id++) {
    const { events, call } = await client.work(id);
    await events.first();
    await events.cancel();
    call.send({ method: "notifications/message", params: { id } });
    call.finish({ done: true });
    client.transport.calls.length = client.transport.seen.length = 0;
  }
  await new Promise((resolve) => setTimeout(resolve, 3 * MAX_AGE_MS));
}

// The first ones load and compile everything, and make collections grow.
await interrupt(REQUESTS);
const growth = await growthOf(() => interrupt(REQUESTS), 3);
const { openRequests, queuedBytes } = sessions.stats();
console.log(JSON.stringify({
  bytesPerRequest: growth / REQUESTS,
  openRequests,
  queuedBytes,
}));
await sessions.close();
