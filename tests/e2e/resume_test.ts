import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, type Fetch } from "./support/clients.ts";
import { type Cut, startCuttingProxy } from "./support/cutting_proxy.ts";
import { startGuarded, withHeaders } from "./support/guarded.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const CUTS = 200;
/** tmcp agrees on 2025-06-18 at most; clients of later revisions are told otherwise. */
const PRIMED = withHeaders({ "mcp-protocol-version": "2025-11-25" });

for (const engine of engines) {
  describe(`Resuming, on ${engine}`, () => {
    it(`S14 H4 an official client that is disconnected ${CUTS} times gets everything once, in order`, async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = randomNumbers(seed);
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions } = server;
      let left = 0;
      const nextCut = (): Cut | undefined =>
        left-- <= 0 ? undefined : {
          // In the head of the answer, in the first frames, or later on.
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
      // Somebody else's stream goes on, and hers is none of its business.
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
      left = CUTS;
      alice.breakStream();
      while (proxy.cuts < CUTS) {
        for (let burst = random() * 12; burst > 0; burst--) send();
        await new Promise((resolve) => setTimeout(resolve, random() * 4));
        if (sent.length > 100_000) throw new Error(`Seed ${seed}: no end.`);
      }
      send();
      const failed = (what: string) => `${what}, with seed ${seed}`;
      await until(
        () => numbersOf(notifications).at(-1) === sent.at(-1),
        failed("the last notification"),
      );
      assertEquals(numbersOf(notifications), sent, failed("all notifications"));
      const { replayed, resets } = sessions.stats();
      assert(replayed > CUTS, `Only ${replayed} events were replayed.`);
      assertEquals(resets, 0);
    });

    it("H4 an official client that is disconnected twice without events in between misses nothing", async () => {
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
      await until(() => notifications.length >= 4, "what was sent meanwhile");
      // Nothing comes twice.
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
      // It was told its position all the same.
      await until(
        () => network.streamsStarted === 1,
        "the beginning of the stream",
      );
      alice.breakStream();
      for (let number = 0; number < 3; number++) {
        sessions.streams.send([alice.sessionId], frameOf(number));
      }
      await until(
        () => alice.notifications.length >= 3,
        "what was sent meanwhile",
      );
      assertEquals(numbersOf(alice.notifications), [0, 1, 2]);
    });
  });
}

/** A notification with a number, of varied length. */
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
 * A network that makes up for what the official client forgets: a stream that
 * ends before its first event takes the position with it that it was opened with.
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

/** A network that tells how far the client's streams have come. */
class StreamCountingNetwork {
  /** How many streams have streamsStarted for the client, which knows its position then. */
  streamsStarted = 0;
  /** The network of clients.ts holds what is made of them, and Deno needs both. */
  readonly #responses: Response[] = [];

  readonly fetch: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    const accept = new Headers(init?.headers).get("accept");
    if (accept !== "text/event-stream" || !response.body) return response;
    this.#responses.push(response);
    let text = "";
    let hasBegun = false;
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          controller.enqueue(chunk);
          if (hasBegun) return;
          text += new TextDecoder().decode(chunk);
          // tmcp's transport writes it after what the manager did.
          hasBegun = text.includes(": connected\n\n");
          if (hasBegun) this.streamsStarted++;
        },
      }),
    );
    return new Response(body, response);
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
