import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, type Fetch } from "./support/clients.ts";
import { type Cut, startCuttingProxy } from "./support/cutting_proxy.ts";
import { startGuarded, withHeaders } from "./support/guarded.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";
import { resetCounts } from "../support/empty_stats.ts";

const CUTS = 200;
/** Fewer than are kept for replay. */
const MAX_OUTSTANDING = 500;
/** tmcp negotiates 2025-06-18 at most. This header announces a later revision. */
const PRIMED = withHeaders({ "mcp-protocol-version": "2025-11-25" });

for (const engine of engines) {
  describe(`Resuming, on ${engine}`, () => {
    it(`S14 H4 an official client that is disconnected ${CUTS} times receives everything once, in order`, async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = randomNumbers(seed);
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions } = server;
      const failed = (what: string) => `${what}, with seed ${seed}`;
      let cutsLeft = 0;
      const nextCut = (): Cut | undefined =>
        cutsLeft-- <= 0 ? undefined : {
          // In the response head, in the first frames, or later.
          afterBytes: random() < 0.2
            ? 1 + Math.floor(random() * 400)
            : 300 + Math.floor(10 ** (1 + 3 * random())),
          how: random() < 0.5 ? "RST" : "FIN",
        };
      await using proxy = await startCuttingProxy(httpUrl, nextCut);
      await using alice = await connectHttp(proxy.url, sessions.streams, {
        reconnect: true,
        fetch: resendLastEventId(() => random() < 0.5 ? PRIMED : fetch),
      });
      const { sessionId, notifications } = alice;
      // Bob's stream stays open. Alice must not receive his events.
      await using bob = await connectHttp(httpUrl, sessions.streams);
      const sent: number[] = [];
      let count = 0;
      const send = () => {
        const number = count++;
        const to = number % 4 === 0
          ? undefined
          : [number % 4 === 1 ? bob.sessionId : sessionId];
        if (to?.[0] !== bob.sessionId) sent.push(number);
        sessions.streams.send(to, frameOf(number));
      };

      send();
      await until(() => notifications.length === 1, "the first notification");
      cutsLeft = CUTS;
      alice.breakStream();
      while (proxy.cuts < CUTS) {
        for (let burst = random() * 12; burst > 0; burst--) send();
        await new Promise((resolve) => setTimeout(resolve, random() * 4));
        // On a slow machine, a new connection takes long.
        await until(
          () => sent.length - notifications.length < MAX_OUTSTANDING,
          failed("most notifications"),
        );
        if (sent.length > 100_000) {
          throw new Error(`Seed ${seed}: the test does not end.`);
        }
      }
      send();
      await until(
        () => numbersOf(notifications).at(-1) === sent.at(-1),
        failed("the last notification"),
      );
      const { replayed, resets } = sessions.stats();
      assertEquals(resets, resetCounts(), failed("no resets"));
      assertEquals(numbersOf(notifications), sent, failed("all notifications"));
      assert(replayed > CUTS, `Only ${replayed} events were replayed.`);
    });

    it("H4 an official client that is disconnected repeatedly without events in between misses nothing", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions } = server;
      const network = new StreamCountingNetwork();
      await using alice = await connectHttp(httpUrl, sessions.streams, {
        reconnect: true,
        fetch: network.fetch,
      });
      const { sessionId, notifications } = alice;
      sessions.streams.send([sessionId], frameOf(0));
      await until(() => notifications.length === 1, "the first notification");
      for (let round = 1; round <= 3; round++) {
        const { streamsStarted } = network;
        alice.breakStream();
        await until(
          () => network.streamsStarted > streamsStarted,
          "a new stream",
        );
      }
      alice.breakStream();
      for (let number = 1; number <= 3; number++) {
        sessions.streams.send([sessionId], frameOf(number));
      }
      await until(() => notifications.length >= 4, "the missed notifications");
      // Leaves time for duplicates to arrive.
      await new Promise((resolve) => setTimeout(resolve, 50));
      assertEquals(numbersOf(notifications), [0, 1, 2, 3]);
    });

    it("H4 an official client that is disconnected before its first event misses nothing", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions } = server;
      const network = new StreamCountingNetwork();
      await using alice = await connectHttp(httpUrl, sessions.streams, {
        reconnect: true,
        fetch: network.fetch,
      });
      // The priming event had an event ID.
      await until(
        () => network.streamsStarted === 1,
        "the stream to start",
      );
      alice.breakStream();
      for (let number = 0; number < 3; number++) {
        sessions.streams.send([alice.sessionId], frameOf(number));
      }
      await until(
        () => alice.notifications.length >= 3,
        "the missed notifications",
      );
      assertEquals(numbersOf(alice.notifications), [0, 1, 2]);
    });
  });
}

/** Returns a frame with a number, of varying length. */
function frameOf(number: number): string {
  const message = {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: number, logger: "x".repeat(number % 97) },
  };
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

function numbersOf(
  notifications: readonly { params?: Record<string, unknown> | undefined }[],
): unknown[] {
  return notifications.map(({ params }) => params?.data);
}

/**
 * Works around a bug of the official client: if a stream ends before its first
 * event, the client forgets the last event ID with which it opened the stream.
 * https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
 */
function resendLastEventId(network: () => Fetch): Fetch {
  let position: string | null = null;
  return (url, init) => {
    const headers = new Headers(init?.headers);
    if (headers.get("accept") === "text/event-stream") {
      position = headers.get("last-event-id") ?? position;
      if (position !== null) headers.set("last-event-id", position);
    }
    return network()(url, { ...init, headers });
  };
}

/** Counts the streams whose first bytes the client has received. */
class StreamCountingNetwork {
  /** Number of streams that have started. The client has their first event ID. */
  streamsStarted = 0;
  /** clients.ts keeps the wrapped responses. Deno needs the original ones, too. */
  readonly #responses: Response[] = [];

  readonly fetch: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    const accept = new Headers(init?.headers).get("accept");
    if (accept !== "text/event-stream" || !response.body) return response;
    this.#responses.push(response);
    let text = "";
    let hasStarted = false;
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          controller.enqueue(chunk);
          if (hasStarted) return;
          text += new TextDecoder().decode(chunk);
          // tmcp's transport writes this comment after the first bytes of the
          // manager.
          hasStarted = text.includes(": connected\n\n");
          if (hasStarted) this.streamsStarted++;
        },
      }),
    );
    return new Response(body, response);
  };
}

/** Returns a generator of reproducible random numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
