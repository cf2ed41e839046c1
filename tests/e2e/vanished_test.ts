import {
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
} from "@std/assert";
import { describe, it } from "node:test";
import { pollUntil, retryOnStall } from "../../src/testing/support/timing.ts";
import { Crowd, QUICK, STALLED } from "./support/load_clients.ts";
import type { Farewell, Pace } from "./support/load_orders.ts";
import {
  COMMENT,
  type CrowdServer,
  overfill,
  serveCrowd,
} from "./support/load_server.ts";
import { openSocket, type RawSocket } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const FAREWELLS: readonly Farewell[] = ["end", "destroy", "reset"];
/** Longest time that it may take to notice, in ms, and how often that is tried. */
const LIMIT_MS = 100;
const TRIES = 3;
const KEEP_ALIVE_MS = 100;

for (const engine of engines) {
  describe(`A client that disconnects, on ${engine}`, () => {
    for (const how of FAREWELLS) {
      it(`S6 ${how}: its session is gone at once when it is idle`, async () => {
        await using server = await serveCrowd(engine, { keepAliveMs: false });
        await gone(server, how, QUICK, () => pause(50));
        assertEquals(server.errors, []);
      });

      it(`S6 ${how}: its session is gone at once while it is written to`, async () => {
        await using server = await serveCrowd(engine, { backlog: false });
        // Who says goodbye may still be reading, and some servers wait until it has
        // got what is on its way: then there has to be an end to that.
        const text = how === "end" ? "data: x\n\n" : COMMENT;
        const flood = setInterval(() => {
          for (let count = 0; count < 4; count++) {
            server.sessions.streams.send(undefined, text);
          }
        }, 1);
        try {
          await gone(server, how, QUICK, () => pause(50));
        } finally {
          clearInterval(flood);
        }
      });
    }

    for (const how of ["destroy", "reset"] as const) {
      it(`S6 ${how}: its session is gone at once when it has read nothing for long`, async () => {
        await using server = await serveCrowd(engine, { backlog: false });
        await gone(
          server,
          how,
          STALLED,
          (id) => overfill(server.sessions.streams, id),
        );
      });
    }

    // It may still want to read the rest, so some servers wait for it to do so.
    it("S10 end: its session is evicted if it has stopped reading", async () => {
      const backlog = { maxBytes: Infinity, maxAgeMs: 600 };
      await using server = await serveCrowd(engine, { backlog });
      await using crowd = new Crowd(server.url);
      await crowd.open("silent", 1, STALLED);
      await overfill(server.sessions.streams, "silent-0");
      assertEquals(server.sessions.stats().attached, 1);
      await crowd.leave("silent", "end");
      await until(() => server.sessions.stats().attached === 0, "the end");
    });
  });

  describe(`Keep-alive, on ${engine}`, () => {
    it("S11 idle streams get comments, busy streams don't", () =>
      // On a machine that pauses for so long nobody is busy.
      retryOnStall(KEEP_ALIVE_MS * 0.9, async () => {
        const keepAliveMs = KEEP_ALIVE_MS;
        await using server = await serveCrowd(engine, { keepAliveMs });
        const { streams } = server.sessions;
        const idle = await openSocket(new URL("/idle", server.url), "GET", {});
        const busy = await openSocket(new URL("/busy", server.url), "GET", {});
        await until(
          () => server.sessions.stats().attached === 2,
          "the streams",
        );
        const startedAt = performance.now();
        const pauseMs = await pollUntil(() => {
          streams.send(["busy"], "data: x\n\n");
          return countKeepAlives(idle) >= 4;
        });
        const elapsed = performance.now() - startedAt;
        const comments = [countKeepAlives(idle), countKeepAlives(busy)];
        idle.vanish();
        busy.vanish();
        return [pauseMs, () => {
          assertEquals(comments, [4, 0]);
          assertGreaterOrEqual(elapsed, 3 * KEEP_ALIVE_MS);
        }];
      }));
  });
}

/** Has clients go, and sees how long it takes until their sessions are gone. */
async function gone(
  { sessions, url }: CrowdServer,
  how: Farewell,
  pace: Pace,
  prepare: (id: string) => Promise<void>,
): Promise<void> {
  await using crowd = new Crowd(url);
  const took: number[] = [];
  do {
    const name = `client-${took.length}`;
    const id = `${name}-0`;
    await crowd.open(name, 1, pace);
    await prepare(id);
    assertEquals(await sessions.streams.has(id), true);
    await crowd.leave(name, how);
    took.push(await untilGone(id, sessions));
    // Others work on the machine, too: the client may have had to wait for them.
  } while (took.at(-1)! > LIMIT_MS && took.length < TRIES);
  assertLessOrEqual(took.at(-1)!, LIMIT_MS, `It took ${took} ms.`);
  assertEquals(sessions.stats().attached, 0);
  assertEquals(sessions.stats().queuedBytes, 0);
}

/** How long that takes, leaving out the time for which the event loop was held up. */
async function untilGone(
  id: string,
  { streams }: CrowdServer["sessions"],
): Promise<number> {
  let free = 0;
  let before = performance.now();
  while (await streams.has(id)) {
    await pause(2);
    const now = performance.now();
    free += Math.min(now - before, 10);
    before = now;
    if (free > 2_000) throw new Error(`The session ${id} stays.`);
  }
  return free;
}

function countKeepAlives(socket: RawSocket): number {
  return socket.received().split(": keep-alive\n\n").length - 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
