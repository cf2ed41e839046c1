import { assertEquals, assertLessOrEqual } from "@std/assert";
import { describe, it } from "node:test";
import { LoadClients, QUICK, STALLED } from "./support/load_clients.ts";
import type { Pace } from "./support/load_commands.ts";
import { loadEvent } from "./support/load_events.ts";
import {
  type LoadServer,
  overfill,
  startLoadServer,
} from "./support/load_server.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const READERS = 1_000;
const PACE_MS = 60;
/** Events of a phase, which goes on for longer than a stalled reader lives. */
const EVENTS = 12;
/** Phases of each kind in a round. */
const PHASES = 3;
const ROUNDS = 6;
/** How many times as long the others may wait. */
const LIMIT = 1.2;

for (const engine of engines) {
  describe(`1,000 readers of which one stalls, on ${engine}`, () => {
    it("S10 the others are as fast as before, and lose nothing", async () => {
      await using server = await startLoadServer(engine, {
        backlog: { maxBytes: Infinity, maxAgeMs: 600 },
      });
      await using clients = new LoadClients(server.url);
      await clients.open("quick", READERS - 1, QUICK);
      const broadcast = new Broadcast(server, clients);
      await broadcast.phase(QUICK);

      const without: number[] = [];
      const withOne: number[] = [];
      const ratios: number[] = [];
      // Others work on the machine as well. So the two kinds of phases take turns,
      // and there are more of them while it looks as if the reader did harm.
      do {
        for (let phase = 0; phase < PHASES; phase++) {
          without.push(...await broadcast.phase(QUICK));
          withOne.push(...await broadcast.phase(STALLED));
        }
        ratios.push(median(withOne) / median(without));
      } while (ratios.at(-1)! > LIMIT && ratios.length < ROUNDS);
      assertLessOrEqual(
        ratios.at(-1)!,
        LIMIT,
        `While one reader stalled, the others waited ${ratios} times as long.`,
      );
    });
  });
}

/** Broadcasts, in phases with and without a reader that stalls. */
class Broadcast {
  readonly #server: LoadServer;
  readonly #clients: LoadClients;
  /** Who is to be evicted, and why. */
  readonly #stalled: [id: string, reason: string][] = [];
  #sent = 0;
  #phases = 0;

  constructor(server: LoadServer, clients: LoadClients) {
    this.#server = server;
    this.#clients = clients;
  }

  /** In how many milliseconds each event has reached 99 of 100 readers. */
  async phase(pace: Pace): Promise<readonly number[]> {
    const { sessions, evicted } = this.#server;
    const name = `phase-${++this.#phases}`;
    const id = `${name}-0`;
    await this.#clients.open(name, 1, pace);
    // The same to those that read: it is not to be what makes the difference.
    await overfill(sessions.streams, id);
    for (let event = 0; event < EVENTS; event++) {
      sessions.streams.send(undefined, loadEvent(++this.#sent));
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
    const report = await this.#clients.report("quick", this.#sent);
    const { complete, sequenceErrors } = report;
    assertEquals({ complete, sequenceErrors }, {
      complete: READERS - 1,
      sequenceErrors: 0,
    });
    if (pace === STALLED) {
      this.#stalled.push([id, "age"]);
      await until(() => evicted.has(id), "the eviction");
      // Servers notice that a stream was broken off when they can write again.
      await this.#clients.setPace(name, 0);
    } else await this.#clients.disconnect(name, "destroy");
    assertEquals([...evicted], this.#stalled);
    assertEquals(await this.#clients.outcomes(name), ["aborted"]);
    await until(() => sessions.stats().attached === READERS - 1, "the end");
    return report.p99s;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}
