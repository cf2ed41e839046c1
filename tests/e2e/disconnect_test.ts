import {
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
} from "@std/assert";
import { describe, it } from "node:test";
import { pollUntil, retryOnStall } from "../../src/testing/support/timing.ts";
import { LoadClients, QUICK, STALLED } from "./support/load_clients.ts";
import type { DisconnectKind, Pace } from "./support/load_commands.ts";
import {
  COMMENT,
  type LoadServer,
  overfill,
  startLoadServer,
} from "./support/load_server.ts";
import { openSocket, type RawSocket } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const DISCONNECT_KINDS: readonly DisconnectKind[] = ["end", "destroy", "reset"];
/** Maximum delay until the disconnect is noticed, in ms, and number of attempts. */
const MAX_DELAY_MS = 100;
const ATTEMPTS = 3;
const KEEP_ALIVE_MS = 100;

for (const engine of engines) {
  describe(`A client that disconnects, on ${engine}`, () => {
    for (const how of DISCONNECT_KINDS) {
      it(`S6 ${how}: an idle session ends immediately`, async () => {
        await using server = await startLoadServer(engine, {
          keepAliveMs: false,
        });
        await assertSessionEnds(server, how, QUICK, () => pause(50));
        assertEquals(server.errors, []);
      });

      it(`S6 ${how}: a session that is written to ends immediately`, async () => {
        await using server = await startLoadServer(engine, { backlog: false });
        // After a half-close the client may still be reading, and some servers
        // wait until it has received everything. Small frames let them finish.
        const text = how === "end" ? "data: x\n\n" : COMMENT;
        const flood = setInterval(() => {
          for (let count = 0; count < 4; count++) {
            server.sessions.streams.send(undefined, text);
          }
        }, 1);
        try {
          await assertSessionEnds(server, how, QUICK, () => pause(50));
        } finally {
          clearInterval(flood);
        }
      });
    }

    for (const how of ["destroy", "reset"] as const) {
      it(`S6 ${how}: a session whose client has stopped reading ends immediately`, async () => {
        await using server = await startLoadServer(engine, { backlog: false });
        await assertSessionEnds(
          server,
          how,
          STALLED,
          (id) => overfill(server.sessions.streams, id),
        );
      });
    }

    // The client may still want to read the rest, so some servers wait for it.
    it("S10 end: a session whose client has stopped reading is evicted", async () => {
      const backlog = { maxBytes: Infinity, maxAgeMs: 600 };
      await using server = await startLoadServer(engine, { backlog });
      await using clients = new LoadClients(server.url);
      await clients.open("silent", 1, STALLED);
      await overfill(server.sessions.streams, "silent-0");
      assertEquals(server.sessions.stats().attached, 1);
      await clients.disconnect("silent", "end");
      await until(
        () => server.sessions.stats().attached === 0,
        "the stream to end",
      );
    });
  });

  describe(`Keep-alive, on ${engine}`, () => {
    it("S11 idle streams get comments, busy streams don't", () =>
      // If the machine pauses for that long, no stream is busy.
      retryOnStall(KEEP_ALIVE_MS * 0.9, async () => {
        const keepAliveMs = KEEP_ALIVE_MS;
        await using server = await startLoadServer(engine, { keepAliveMs });
        const { streams } = server.sessions;
        const idle = await openSocket(new URL("/idle", server.url), "GET", {});
        const busy = await openSocket(new URL("/busy", server.url), "GET", {});
        await until(
          () => server.sessions.stats().attached === 2,
          "the streams to open",
        );
        const startedAt = performance.now();
        const pauseMs = await pollUntil(() => {
          streams.send(["busy"], "data: x\n\n");
          return countKeepAlives(idle) >= 4;
        });
        const elapsed = performance.now() - startedAt;
        const comments = [countKeepAlives(idle), countKeepAlives(busy)];
        idle.destroy();
        busy.destroy();
        return [pauseMs, () => {
          assertEquals(comments, [4, 0]);
          assertGreaterOrEqual(elapsed, 3 * KEEP_ALIVE_MS);
        }];
      }));
  });
}

/** Disconnects clients and asserts that their sessions end in time. */
async function assertSessionEnds(
  { sessions, url }: LoadServer,
  how: DisconnectKind,
  pace: Pace,
  prepare: (id: string) => Promise<void>,
): Promise<void> {
  await using clients = new LoadClients(url);
  const delaysMs: number[] = [];
  do {
    const name = `client-${delaysMs.length}`;
    const id = `${name}-0`;
    await clients.open(name, 1, pace);
    await prepare(id);
    assertEquals(await sessions.streams.has(id), true);
    await clients.disconnect(name, how);
    delaysMs.push(await measureUntilEnded(id, sessions));
    // On a busy machine, the client process may be late. Try again.
  } while (delaysMs.at(-1)! > MAX_DELAY_MS && delaysMs.length < ATTEMPTS);
  assertLessOrEqual(
    delaysMs.at(-1)!,
    MAX_DELAY_MS,
    `The sessions ended after ${delaysMs} ms.`,
  );
  assertEquals(sessions.stats().attached, 0);
  assertEquals(sessions.stats().queuedBytes, 0);
}

/** Returns the time until the session ended, without pauses of the event loop. */
async function measureUntilEnded(
  id: string,
  { streams }: LoadServer["sessions"],
): Promise<number> {
  let elapsedMs = 0;
  let before = performance.now();
  while (await streams.has(id)) {
    await pause(2);
    const now = performance.now();
    elapsedMs += Math.min(now - before, 10);
    before = now;
    if (elapsedMs > 2_000) throw new Error(`The session ${id} does not end.`);
  }
  return elapsedMs;
}

function countKeepAlives(socket: RawSocket): number {
  return socket.received().split(": keep-alive\n\n").length - 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
