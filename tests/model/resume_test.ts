import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { type ParsedEvent, parseSse } from "../support/sse_parser.ts";
import { Client, type Kind } from "./client.ts";
import { resetCounts } from "../support/empty_stats.ts";

const EVENTS = 1_000;
const KINDS: readonly Kind[] = [
  "count",
  "roomy",
  "lengths",
  "unbuffered",
  "bytes",
];

describe("Streams that are resumed", () => {
  it("S14 lose nothing, whichever of 1,000 events they break after", async () => {
    const manager = new InMemoryStreamSessionManager({
      replay: {},
      backlog: false,
    });
    const began = manager.latestEventId!;
    const whole = connect(manager, "a", "count");
    send(manager, 1, EVENTS);
    manager.delete("a");
    const all = await eventsOf(whole);
    assertEquals(all.map(({ data }) => data), mine(1, EVENTS));
    let replayed = 0;
    for (let broken = 0; broken <= all.length; broken++) {
      const lastEventId = all[broken - 1]?.id ?? began;
      manager.prepareStream("a", { lastEventId });
      const again = connect(manager, "a", KINDS[broken % KINDS.length]!);
      manager.delete("a");
      const missed = await eventsOf(again);
      const same = missed.every(({ id, data }, at) =>
        id === all[broken + at]!.id && data === all[broken + at]!.data
      );
      assert(same && broken + missed.length === all.length, `${broken}`);
      replayed += missed.length;
    }
    assertEquals(manager.stats().replayed, replayed);
    assertEquals(manager.stats().resets, resetCounts());
    await manager.close();
  });

  it("S14 get everything once while they break repeatedly", async () => {
    for (const coalesce of [true, false]) {
      for (const kind of KINDS) {
        const manager = new InMemoryStreamSessionManager({
          replay: {},
          backlog: false,
          coalesce,
        });
        let client = connect(manager, "a", kind);
        let lastEventId = manager.latestEventId!;
        const got: ParsedEvent[] = [];
        for (let event = 1; event <= EVENTS; event++) {
          send(manager, event, event);
          if (event % 3 === 0) await client.read(event % 5);
          if (event % 11 === 0) {
            await new Promise<void>((resolve) => setImmediate(resolve));
          }
          if (event % 7 !== 0) continue;
          // Within a turn as well as between two turns.
          got.push(...parseSse(client.text).events);
          lastEventId = got.at(-1)?.id ?? lastEventId;
          if (event % 2 === 0) client.cancel();
          manager.prepareStream("a", { lastEventId });
          client = connect(manager, "a", kind);
        }
        manager.delete("a");
        got.push(...await eventsOf(client));
        assertEquals(got.map(({ data }) => data), mine(1, EVENTS));
        await manager.close();
      }
    }
  });

  it("S14 get missed events in few chunks", async () => {
    const manager = new InMemoryStreamSessionManager({
      replay: {},
      backlog: false,
    });
    const lastEventId = manager.latestEventId!;
    const lengths = Array.from({ length: 600 }, (_, at) => at * 37 % 1_500);
    lengths.splice(300, 0, 65_400, 65_536, 65_600, 1_000_000);
    const sent = lengths.map((length, at) => `${at} `.padEnd(length, "."));
    for (const data of sent) manager.send(["a"], `data: ${data}\n\n`);
    manager.prepareStream("a", { lastEventId });
    const client = connect(manager, "a", "lengths");
    manager.delete("a");
    const events = await eventsOf(client);
    assertEquals(events.map(({ data }) => data), sent);
    assert(client.chunks < 30, `${client.chunks} chunks for ${sent.length}`);
    await manager.close();
  });

  it("S15 tell a client that missed events are lost, and why", async () => {
    const resets: [id: string, reason: string][] = [];
    const manager = new InMemoryStreamSessionManager({
      replay: { maxEvents: 3 },
      onReset: (id, reason) => resets.push([id, reason]),
    });
    const other = new InMemoryStreamSessionManager({ replay: {} });
    const first = manager.latestEventId!;
    send(manager, 1, 3);
    for (
      const [lastEventId, reason] of [
        [first, "purged"],
        [other.latestEventId!, "unknown"],
        ["<script>", "unknown"],
        [first.replace(/0$/, "99"), "future"],
      ] as const
    ) {
      manager.prepareStream("a", { lastEventId });
      const client = connect(manager, "a", "count");
      const { latestEventId } = manager;
      send(manager, 4, 4);
      manager.delete("a");
      const [reset, ...rest] = await eventsOf(client);
      assertEquals(reset, {
        event: "reset",
        data: JSON.stringify({ reason }),
        id: latestEventId!,
      });
      // Later events follow as usual.
      assertEquals(rest.map(({ data }) => data), mine(4, 4));
      assertEquals(resets.pop(), ["a", reason]);
    }
    const expected = resetCounts({ purged: 1, unknown: 2, future: 1 });
    assertEquals(manager.stats().resets, expected);
    await manager.close();
  });

  it("S16 get nothing if nothing was missed, however often they resume", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    send(manager, 1, 3);
    for (let time = 0; time < 3; time++) {
      manager.prepareStream("a", { lastEventId: manager.latestEventId! });
      const client = connect(manager, "a", "count");
      manager.delete("a");
      assertEquals(await eventsOf(client), []);
    }
    await manager.close();
  });

  it("start with the last event ID, if the client understands that", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    send(manager, 1, 3);
    const { latestEventId } = manager;
    manager.prepareStream("a", { prime: true });
    const primed = connect(manager, "a", "count");
    const plain = connect(manager, "b", "count");
    send(manager, 4, 4);
    await manager.close();
    const [start, ...rest] = await eventsOf(primed);
    assertEquals(start, { event: "message", data: "", id: latestEventId! });
    assertEquals(rest.map(({ data }) => data), mine(4, 4));
    const [first] = await eventsOf(plain);
    assertEquals(first?.data, "not for a");
  });
});

/** Sends an event to "a" for each number, and events to others in between. */
function send(
  manager: InMemoryStreamSessionManager,
  first: number,
  last: number,
): void {
  for (let event = first; event <= last; event++) {
    const to = event % 3 === 0
      ? undefined
      : event % 3 === 1
      ? ["a"]
      : ["a", "b"];
    manager.send(["b"], `data: not for a\n\n`);
    manager.send(to, `data: a${event}\n\n`);
  }
}

/** Returns the data of those events. */
function mine(first: number, last: number): string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, at) => `a${first + at}`,
  );
}

function connect(
  manager: InMemoryStreamSessionManager,
  id: string,
  kind: Kind,
): Client {
  const client = new Client(id, kind, false, () => manager.delete(id));
  manager.create(id, client.controller);
  return client;
}

/** Returns all events of a stream. */
async function eventsOf(client: Client): Promise<ParsedEvent[]> {
  await client.finish();
  return parseSse(client.text).events;
}
