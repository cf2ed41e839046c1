import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  createManager,
  endOfTurn,
  type OpenedStream,
  openStream,
  usingFakeTime,
} from "../support/streams.ts";

const MAX_UNREAD_BYTES = 100;
const SESSION_IDS = ["a", "b", "c", "d"];

interface Step {
  kind: "broadcast" | "send" | "read" | "replace" | "turn" | "tick" | "stats";
  /** The session for "send", "read" and "replace". */
  sessionId: string;
  /** The length of the frame for "broadcast" and "send". */
  length: number;
}

const steps = fc.array(
  fc.record<Step>({
    // Mostly broadcasts, so that streams stay on the fast path for a while.
    kind: fc.constantFrom(
      ...["broadcast", "broadcast", "broadcast", "turn", "turn", "turn"]
        .concat("broadcast", "turn", "read", "read", "read", "send")
        .concat("replace", "tick", "stats") as Step["kind"][],
    ),
    sessionId: fc.constantFrom(...SESSION_IDS),
    // At least two bytes: a one-byte frame doesn't reveal whether the stream
    // counts bytes or chunks.
    length: fc.oneof(
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 2, max: 30 }),
      fc.constant(150),
    ),
  }),
  { minLength: 20, maxLength: 120 },
);

const strategies: Record<string, QueuingStrategy<Uint8Array> | undefined> = {
  "the default strategy": undefined,
  "a high water mark of 0": { highWaterMark: 0 },
  "a high water mark of 3": { highWaterMark: 3 },
  "a strategy that counts bytes": new ByteLengthQueuingStrategy({
    highWaterMark: 1_000,
  }),
  "a strategy that counts bytes and a high water mark of 0":
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  "a strategy that counts kilobytes": {
    highWaterMark: 1,
    size: (chunk) => chunk.length / 1_024,
  },
};

// Only broadcasts use the fast path. A targeted send to every session delivers
// the same frames without it, so it must have the same effects.
describe("A broadcast and a targeted send to every session", () => {
  for (const [name, strategy] of Object.entries(strategies)) {
    for (const coalesce of [true, false]) {
      it(
        `S10 count unread bytes and evict alike with ${name}` +
          (coalesce ? "" : ", without coalescing"),
        () =>
          fc.assert(
            fc.asyncProperty(
              steps,
              (steps) => compare(steps, strategy, coalesce),
            ),
            { numRuns: 100 },
          ),
      );
    }
  }
});

function compare(
  steps: readonly Step[],
  strategy: QueuingStrategy<Uint8Array> | undefined,
  coalesce: boolean,
): Promise<void> {
  return usingFakeTime(async (time) => {
    const broadcasting = new Server("broadcast", strategy, coalesce);
    const targeting = new Server("targeted", strategy, coalesce);
    const both = [broadcasting, targeting];
    for (const { kind, sessionId, length } of steps) {
      const frame = String.fromCharCode(97 + length % 26).repeat(length);
      if (kind === "tick") time.tick(1_000);
      else if (kind === "turn") await endOfTurn();
      for (const server of both) {
        if (kind === "broadcast") server.sendToAll(frame);
        else if (kind === "send") server.send([sessionId], frame);
        else if (kind === "read") await server.read(sessionId);
        else if (kind === "replace") server.replace(sessionId);
        else if (kind === "stats") server.assertUnreadBytes();
        else if (kind === "turn") server.startTurn();
      }
      assertEquals(broadcasting.evicted, targeting.evicted);
    }
    await endOfTurn();
    for (const server of both) {
      server.startTurn();
      await server.readEverything();
      server.assertUnreadBytes();
      await server.close();
    }
  })();
}

interface Client {
  readonly stream: OpenedStream;
  sent: string;
  received: string;
  /** Whether frames of this turn may not have been written yet. */
  isWaiting: boolean;
}

/** A manager with one client for each session. */
class Server {
  readonly #clients = new Map<string, Client>();
  readonly #mode: "broadcast" | "targeted";
  readonly #strategy: QueuingStrategy<Uint8Array> | undefined;
  readonly #recorded;
  #seenEvictions = 0;

  constructor(
    mode: "broadcast" | "targeted",
    strategy: QueuingStrategy<Uint8Array> | undefined,
    coalesce: boolean,
  ) {
    this.#mode = mode;
    this.#strategy = strategy;
    this.#recorded = createManager({
      coalesce,
      keepAliveMs: false,
      backlog: { maxBytes: MAX_UNREAD_BYTES, maxAgeMs: 1e9 },
    });
    for (const id of SESSION_IDS) this.#attach(id);
  }

  /** Every eviction so far; those of one send in alphabetical order. */
  readonly evicted: string[] = [];

  sendToAll(frame: string): void {
    if (this.#mode === "targeted") this.send(SESSION_IDS, frame);
    else this.#send(undefined, frame);
  }

  send(sessionIds: string[], frame: string): void {
    this.#send(sessionIds, frame);
  }

  async read(sessionId: string): Promise<void> {
    const client = this.#clients.get(sessionId)!;
    if (unreadBytes(client) === 0 || client.isWaiting) return;
    client.received += await client.stream.read();
    assertEquals(client.received, client.sent.slice(0, client.received.length));
  }

  async readEverything(): Promise<void> {
    for (const [id, client] of this.#clients) {
      while (unreadBytes(client) > 0) await this.read(id);
    }
  }

  /** Replaces a stream, unless the new one would inherit waiting frames. */
  replace(sessionId: string): void {
    if (!this.#clients.get(sessionId)!.isWaiting) this.#attach(sessionId);
  }

  startTurn(): void {
    for (const client of this.#clients.values()) client.isWaiting = false;
  }

  assertUnreadBytes(): void {
    const unread = [...this.#clients.values()].map(unreadBytes);
    assertEquals(
      this.#recorded.manager.stats().queuedBytes,
      unread.reduce((sum, bytes) => sum + bytes),
    );
  }

  async close(): Promise<void> {
    await this.#recorded.manager.close();
    assertEquals(this.#recorded.errors, []);
  }

  #send(sessionIds: string[] | undefined, frame: string): void {
    for (const id of sessionIds ?? SESSION_IDS) {
      const client = this.#clients.get(id)!;
      client.sent += frame;
      client.isWaiting = true;
    }
    const { manager, evicted } = this.#recorded;
    manager.send(sessionIds, frame);
    const newlyEvicted = evicted.slice(this.#seenEvictions);
    this.#seenEvictions = evicted.length;
    this.evicted.push(...newlyEvicted.map((entry) => entry.join(": ")).sort());
    for (const [id] of newlyEvicted) this.#attach(id);
  }

  #attach(id: string): void {
    const stream = openStream(this.#strategy);
    this.#clients.set(id, {
      stream,
      sent: "",
      received: "",
      isWaiting: false,
    });
    this.#recorded.manager.create(id, stream.controller);
  }
}

function unreadBytes({ sent, received }: Client): number {
  return sent.length - received.length;
}
