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
 * How much is to be unread all the time. Linux takes over a megabyte and more at
 * once: with less, nothing would be unread now and then.
 */
const UNREAD_BYTES = 3 * 1_048_576;
/** 40 KB a second. */
const TRICKLE: Pace = { bytes: 4_096, everyMs: 100 };
/** About 10 MB a second: what is unread is read within half a second. */
const STEADY: Pace = { bytes: 65_536, everyMs: 5 };

for (const engine of engines) {
  describe(`Readers that are always behind, on ${engine}`, () => {
    const backlog = { maxBytes: Infinity, maxAgeMs: MAX_AGE_MS };

    it("S10 a reader that trickles is evicted because of the age of its backlog", async () => {
      await using server = await startLoadServer(engine, { backlog });
      await using clients = new LoadClients(server.url);
      await clients.open("trickle", 1, TRICKLE);
      await feed(server, "trickle-0");
      assertEquals([...server.evicted], [["trickle-0", "age"]]);
      const { evicted, attached, queuedBytes } = server.sessions.stats();
      assertEquals({ evicted, attached, queuedBytes }, {
        evicted: { bytes: 0, age: 1 },
        attached: 0,
        queuedBytes: 0,
      });
    });

    it("S10 a reader that is slow but fast enough is not evicted, and loses nothing", async () => {
      await using server = await startLoadServer(engine, { backlog });
      await using clients = new LoadClients(server.url);
      await clients.open("steady", 1, STEADY);
      const events = await feed(server, "steady-0");
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
 * Sends to a session whenever it has read some, until there was something unread
 * all the time for longer than anything may be, or the session is evicted. Answers
 * how many events were sent.
 */
async function feed(
  { sessions, evicted }: LoadServer,
  id: string,
): Promise<number> {
  let events = 0;
  const started = performance.now();
  let end = Infinity;
  while (performance.now() < end && !evicted.has(id)) {
    const { queuedBytes } = sessions.stats();
    // The reader goes on while the machine holds this process up.
    if (queuedBytes === 0) end = Infinity;
    if (queuedBytes < UNREAD_BYTES) {
      sessions.streams.send([id], loadEvent(++events, EVENT_BYTES));
    } else if (end === Infinity) end = performance.now() + 1.5 * MAX_AGE_MS;
    assert(performance.now() - started < 10_000, "It reads everything.");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return events;
}
