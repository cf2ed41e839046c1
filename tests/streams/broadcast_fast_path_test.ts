import {
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { endOfTurn, faked, open, openBytes } from "../support/streams.ts";

const MAX_BYTES = 100;

/** What may happen to a few streams, and to which of them. */
type Step = {
  kind: "broadcast" | "send" | "read" | "replace" | "turn" | "tick" | "look";
  at: number;
  length: number;
};

const steps = fc.array(
  fc.record<Step>({
    // Nearly all that happens on a server are broadcasts.
    kind: fc.constantFrom(
      ...["broadcast", "broadcast", "broadcast", "turn", "turn", "turn"]
        .concat("broadcast", "turn", "read", "read", "read", "send")
        .concat("replace", "tick", "look") as Step["kind"][],
    ),
    at: fc.nat(3),
    // A stream that counts bytes is told by the first text, if that has two of them.
    length: fc.oneof(
      fc.integer({ min: 2, max: 5 }),
      fc.integer({ min: 2, max: 30 }),
      fc.constant(150),
    ),
  }),
  { minLength: 20, maxLength: 120 },
);

/** One stream, and what is known of it. */
class Witness {
  readonly id: string;
  #opened;
  #sent = "";
  #read = "";
  #turnsAgo = Infinity;
  /** How many bytes it may get in this turn. */
  #allowance = Infinity;

  constructor(id: string, strategy: QueuingStrategy<Uint8Array> | undefined) {
    this.id = id;
    this.#opened = open(strategy);
  }

  get controller(): ReadableStreamDefaultController {
    return this.#opened.controller;
  }

  /** What it was sent and nobody has read, waiting for the turn's end or not. */
  get unread(): number {
    return this.#sent.length - this.#read.length;
  }

  /** Whether it got nothing in this turn. */
  get isFirst(): boolean {
    return this.#turnsAgo > 0;
  }

  /** Gives it a text; returns whether that is too much. */
  isTooMuch(text: string): boolean {
    if (this.isFirst) {
      const { unread } = this;
      // Who has read everything may be given anything within a turn.
      this.#allowance = unread === 0 ? Infinity : MAX_BYTES - unread;
    }
    this.#allowance -= text.length;
    this.#sent += text;
    this.#turnsAgo = 0;
    return this.#allowance < 0;
  }

  turn(): void {
    this.#turnsAgo++;
  }

  async read(): Promise<void> {
    // What waits for the end of a turn is not there to be read.
    if (this.unread === 0 || !this.isFirst) return;
    this.#read += await this.#opened.read();
    assert(this.#sent.startsWith(this.#read), "Something is out of order.");
  }

  async readAll(): Promise<void> {
    while (this.unread > 0) await this.read();
  }
}

/** What is to be witnessed. */
interface Case {
  readonly strategy?: QueuingStrategy<Uint8Array>;
  readonly coalesce?: boolean;
}

const cases: Record<string, Case> = {
  "by default": {},
  "without a high water mark": { strategy: { highWaterMark: 0 } },
  "that may hold a few chunks": { strategy: { highWaterMark: 3 } },
  "that count bytes": {
    strategy: new ByteLengthQueuingStrategy({ highWaterMark: 1_000 }),
  },
  "that hold no bytes": {
    strategy: new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  },
  "that count kilobytes": {
    strategy: { highWaterMark: 1, size: (chunk) => chunk.length / 1_024 },
  },
};

describe("Calm streams", () => {
  for (const [name, one] of Object.entries(cases)) {
    for (const coalesce of [true, false]) {
      it(
        `S10 know what is unread as exactly as others, ${name}` +
          (coalesce ? "" : ", text by text"),
        () =>
          fc.assert(
            fc.asyncProperty(
              steps,
              (steps) => play(steps, { ...one, coalesce }),
            ),
            { numRuns: 300 },
          ),
      );
    }
  }

  it("S10 are evicted when they are too far behind", async () => {
    const evicted: string[] = [];
    const manager = make(evicted, { backlog: { maxBytes: 1_000 } });
    const [fast, slow] = [open(), open()];
    manager.create("fast", fast.controller);
    manager.create("slow", slow.controller);
    for (let turn = 1; turn <= 11; turn++) {
      manager.send(undefined, "x".repeat(100));
      await endOfTurn();
      assertEquals((await fast.read()).length, 100);
      assertEquals(evicted, turn <= 10 ? [] : ["slow: bytes"]);
    }
    assertEquals(manager.stats().evicted, { bytes: 1, age: 0 });
    await manager.close();
  });

  it("S10 may be sent any burst by who has read all, and no more", async () => {
    const evicted: string[] = [];
    const manager = make(evicted, { backlog: { maxBytes: 100 } });
    const { controller, read } = open();
    manager.create("a", controller);
    for (let turn = 0; turn < 3; turn++) {
      manager.send(undefined, "x".repeat(20));
      await endOfTurn();
      await read();
    }
    for (let left = 10; left > 0; left--) manager.send(undefined, "burst ");
    manager.send(["a"], "x".repeat(1_000));
    await endOfTurn();
    assertEquals(evicted, []);
    manager.send(undefined, "x");
    assertEquals(evicted, ["a: bytes"]);
    await manager.close();
  });

  it("S10 that were behind before a burst may get what fits", async () => {
    const evicted: string[] = [];
    const manager = make(evicted, { backlog: { maxBytes: 100 } });
    const { controller, read } = open();
    manager.create("a", controller);
    manager.send(undefined, "first");
    await endOfTurn();
    await read();
    for (const text of ["x".repeat(40), "y".repeat(40)]) {
      manager.send(undefined, text);
      await endOfTurn();
    }
    manager.send(undefined, "z");
    manager.send(undefined, "z".repeat(19));
    assertEquals(evicted, []);
    manager.send(undefined, "z");
    assertEquals(evicted, ["a: bytes"]);
    await manager.close();
  });

  it("S10 that count bytes are not evicted for what was read", async () => {
    const evicted: string[] = [];
    const manager = make(evicted, { backlog: { maxBytes: 1_000 } });
    const { controller, read } = open(
      new ByteLengthQueuingStrategy({ highWaterMark: 10_000 }),
    );
    manager.create("a", controller);
    for (let turn = 0; turn < 100; turn++) {
      manager.send(undefined, "x".repeat(100));
      await endOfTurn();
      // It is always two texts behind.
      if (turn > 1) assertEquals((await read()).length, 100);
      if (turn > 50) assertEquals(manager.stats().queuedBytes, 200);
    }
    assertEquals(evicted, []);
    await manager.close();
  });

  it("S8 get what is sent after thousands came and went", async () => {
    const manager = make([]);
    const stays = new Map([...Array(50).keys()].map((at) => [`${at}`, open()]));
    for (const [id, { controller }] of stays) {
      for (let others = 0; others < 40; others++) {
        manager.create(`${id}-${others}`, open().controller);
      }
      manager.create(id, controller);
      if (Number(id) % 10 === 0) manager.send(undefined, "early ");
      for (let others = 0; others < 40; others++) {
        manager.delete(`${id}-${others}`);
      }
      await endOfTurn();
    }
    manager.send(undefined, "late");
    await manager.close();
    for (const [id, { rest }] of stays) {
      const early = "early ".repeat(4 - Math.floor((Number(id) - 1) / 10));
      assertEquals(await rest(), { text: `${early}late`, end: "closed" });
    }
  });

  it("S9 that fail are removed, whatever their neighbours do", async () => {
    const errors: Error[] = [];
    const manager = new InMemoryStreamSessionManager({
      onError: (error) => void errors.push(error),
    });
    const streams = ["a", "b", "c"].map((id) => {
      const stream = open();
      manager.create(id, stream.controller);
      return stream;
    });
    for (const text of ["1", "2"]) {
      manager.send(undefined, text);
      await endOfTurn();
    }
    streams[1]!.controller.close();
    manager.send(undefined, "3");
    assertEquals(errors.length, 1);
    assertEquals(manager.stats().attached, 2);
    assertEquals(manager.stats().delivered, 8);
    await manager.close();
    assertEquals(await streams[0]!.rest(), { text: "123", end: "closed" });
    assertEquals(await streams[2]!.rest(), { text: "123", end: "closed" });
  });

  it(
    "S11 are kept alive a while after the last text, and not within a frame",
    faked(async (time) => {
      const manager = new InMemoryStreamSessionManager({ keepAliveMs: 1_000 });
      const { controller, read, rest } = open();
      manager.create("a", controller);
      for (let turn = 0; turn < 10; turn++) {
        manager.send(undefined, `data: ${turn}\n\n`);
        await endOfTurn();
        assertEquals(await read(), `data: ${turn}\n\n`);
        time.tick(750);
      }
      time.tick(500);
      assertEquals(await read(), ": keep-alive\n\n");
      for (const text of ["data: 1\n\n", "data: 2\n\n", "data: 3\n"]) {
        manager.send(undefined, text);
        await endOfTurn();
        assertEquals(await read(), text);
        time.tick(250);
      }
      time.tick(10_000);
      await manager.close();
      assertEquals(await rest(), { text: "", end: "closed" });
    }),
  );

  it("S10 are not evicted for a text that is still on its way", async () => {
    const evicted: string[] = [];
    const manager = make(evicted, { backlog: { maxBytes: 100 } });
    const first = open({}, { pull: () => void manager.stats() });
    const second = open();
    manager.create("first", first.controller);
    manager.create("second", second.controller);
    for (const length of [10, 60, 20]) {
      manager.send(undefined, "x".repeat(length));
      await endOfTurn();
      assertEquals((await first.read()).length, length);
    }
    assertEquals(evicted, []);
    assertEquals(manager.stats().queuedBytes, 90);
    for (const length of [10, 60, 20]) {
      assertEquals((await second.read()).length, length);
    }
    await manager.close();
  });

  it("S4 that are replaced while they fail leave the newer one", async () => {
    const errors: Error[] = [];
    const manager = new InMemoryStreamSessionManager({
      onError: (error) => void errors.push(error),
    });
    const newer = open();
    let texts = 0;
    const older = open({
      size: () => {
        if (++texts < 3) return 1;
        manager.create("a", newer.controller);
        throw new Error("It wants no more.");
      },
    });
    manager.create("a", older.controller);
    for (const text of ["1", "2", "3", "4"]) {
      manager.send(undefined, text);
      await endOfTurn();
      if (text < "3") assertEquals(await older.read(), text);
    }
    assertEquals(errors, []);
    assertEquals(await newer.read(), "4");
    await manager.close();
  });

  it("S8 of bytes get a copy each, every time", async () => {
    const manager = make([]);
    const streams = [openBytes(), openBytes()];
    for (const [at, { controller }] of streams.entries()) {
      manager.create(`${at}`, controller);
    }
    for (const text of ["1", "2", "3"]) {
      manager.send(undefined, text);
      await endOfTurn();
      for (const { read } of streams) assertEquals(await read(), text);
    }
    await manager.close();
  });
});

/** Plays some steps, and compares what the manager knows with what is. */
function play(
  steps: readonly Step[],
  { strategy, coalesce = true }: Case,
): Promise<void> {
  return faked(async (time) => {
    const evicted: string[] = [];
    const backlog = { maxBytes: MAX_BYTES };
    const manager = make(evicted, { backlog, coalesce });
    let witnesses = [..."abcd"].map((id) => attach(id));
    function attach(id: string): Witness {
      const witness = new Witness(id, strategy);
      manager.create(id, witness.controller);
      return witness;
    }
    function send(to: readonly Witness[], isAll: boolean, text: string): void {
      const tooMuch = to.filter((one) => one.isTooMuch(text));
      manager.send(isAll ? undefined : to.map(({ id }) => id), text);
      assertEquals(evicted.sort(), tooMuch.map(({ id }) => `${id}: bytes`));
      witnesses = witnesses.map((one) =>
        tooMuch.includes(one) ? attach(one.id) : one
      );
      evicted.length = 0;
    }
    function look(): void {
      const unread = witnesses.map((one) => one.unread);
      assertEquals(
        manager.stats().queuedBytes,
        unread.reduce((sum, bytes) => sum + bytes),
      );
    }
    for (const { kind, at, length } of steps) {
      const one = witnesses[at]!;
      const text = String.fromCharCode(97 + length % 26).repeat(length);
      if (kind === "broadcast") send(witnesses, true, text);
      else if (kind === "send") send([one], false, text);
      else if (kind === "read") await one.read();
      else if (kind === "tick") time.tick(1_000);
      else if (kind === "look") look();
      else if (kind === "replace") {
        if (one.isFirst) witnesses[at] = attach(one.id);
      } else {
        await endOfTurn();
        for (const one of witnesses) one.turn();
      }
    }
    await endOfTurn();
    for (const one of witnesses) {
      one.turn();
      await one.readAll();
    }
    look();
    await manager.close();
  })();
}

function make(
  evicted: string[],
  options: InMemoryStreamSessionManagerOptions = {},
): InMemoryStreamSessionManager {
  return new InMemoryStreamSessionManager({
    keepAliveMs: false,
    ...options,
    backlog: { maxAgeMs: 1e9, ...options.backlog || {} },
    onError: (error) => {
      throw error;
    },
    onEvict: (id, reason) => void evicted.push(`${id}: ${reason}`),
  });
}
