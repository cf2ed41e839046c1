import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { LoadClients } from "./support/load_clients.ts";
import { loadEvent } from "./support/load_events.ts";
import type { Pace } from "./support/load_commands.ts";
import { type LoadServer, startLoadServer } from "./support/load_server.ts";
import { engines } from "./support/serve.ts";

const MAX_AGE_MS = 1_200;
const EVENT_BYTES = 65_536;
/**
 * Amount of unread data to maintain. Linux buffers more than a megabyte, so
 * with less data, the backlog would sometimes be empty.
 */
const UNREAD_BYTES = 3 * 1_048_576;
/** 40 KB per second. */
const TRICKLE: Pace = { bytes: 4_096, everyMs: 100 };
/** About 10 MB per second: reads the backlog within half a second. */
const STEADY: Pace = { bytes: 65_536, everyMs: 5 };

for (const engine of engines) {
  describe(`Readers that always lag behind, on ${engine}`, () => {
    const backlog = { maxBytes: Infinity, maxAgeMs: MAX_AGE_MS };

    it("S10 a reader that is too slow is evicted because of the age of its backlog", async () => {
      await using server = await startLoadServer(engine, { backlog });
      await using clients = new LoadClients(server.url);
      await clients.open("trickle", 1, TRICKLE);
      await keepBacklogFilled(server, "trickle-0");
      assertEquals([...server.evicted], [["trickle-0", "age"]]);
      const { evicted, attached, queuedBytes } = server.sessions.stats();
      assertEquals({ evicted, attached, queuedBytes }, {
        evicted: { bytes: 0, age: 1 },
        attached: 0,
        queuedBytes: 0,
      });
    });

    it("S10 a reader that is slow but fast enough is not evicted and misses nothing", async () => {
      await using server = await startLoadServer(engine, { backlog });
      await using clients = new LoadClients(server.url);
      await clients.open("steady", 1, STEADY);
      const events = await keepBacklogFilled(server, "steady-0");
      assertEquals([...server.evicted], []);
      await clients.setPace("steady", 0);
      const { complete, sequenceErrors } = await clients.report(
        "steady",
        events,
      );
      assertEquals({ complete, sequenceErrors }, {
        complete: 1,
        sequenceErrors: 0,
      });
    });
  });
}

/**
 * Keeps the backlog of a session filled until it has been non-empty for longer
 * than the maximum age, or the session is evicted. Returns the number of events
 * sent.
 */
async function keepBacklogFilled(
  { sessions, evicted }: LoadServer,
  id: string,
): Promise<number> {
  let events = 0;
  const started = performance.now();
  let end = Infinity;
  while (performance.now() < end && !evicted.has(id)) {
    const { queuedBytes } = sessions.stats();
    // The reader continues while this process is held up.
    if (queuedBytes === 0) end = Infinity;
    if (queuedBytes < UNREAD_BYTES) {
      sessions.streams.send([id], loadEvent(++events, EVENT_BYTES));
    } else if (end === Infinity) end = performance.now() + 1.5 * MAX_AGE_MS;
    assert(performance.now() - started < 10_000, "There is never a backlog.");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return events;
}
