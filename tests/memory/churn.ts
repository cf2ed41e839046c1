// Creates and deletes sessions, and prints the growth of the heap in bytes per
// session. Run by churn_test.ts in its own process, with garbage collection on
// demand.
import { InMemorySessions } from "@crossmcp/session-manager";
import { heapUsed } from "./heap.ts";

const SESSIONS = 100_000;

const sessions = new InMemorySessions();
await churn();
const before = await heapUsed();
for (let round = 0; round < 3; round++) await churn();
const grown = (await heapUsed() - before) / (3 * SESSIONS);
console.log(JSON.stringify({ bytesPerSession: grown }));

async function churn(): Promise<void> {
  for (let index = 0; index < SESSIONS; index++) {
    const id = crypto.randomUUID();
    sessions.streams.create(id, stream());
    await sessions.info.setClientInfo(id, { name: id, version: "1.0.0" });
    await sessions.info.setClientCapabilities(id, { roots: {} });
    await sessions.info.setLogLevel(id, "info");
    await sessions.info.addSubscription(id, "file:///shared");
    await sessions.info.addSubscription(id, `file:///${id}`);
    await sessions.subscriptions.create(
      { id, origin: id, filters: { resourceSubscriptions: [id] } },
      { acknowledge: () => {}, send: () => {}, close: () => {} },
    );
    sessions.streams.send([id], "data: x\n\n");
    sessions.streams.delete(id);
    await sessions.info.delete(id);
    await sessions.subscriptions.close(id, id, "cancelled");
  }
}

function stream(): ReadableStreamDefaultController {
  let controller: ReadableStreamDefaultController | undefined;
  new ReadableStream({
    start: (given) => {
      controller = given;
    },
  });
  return controller!;
}
