import type { InMemorySessions } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { describe, it } from "node:test";
import { openSocket, type RawSocket } from "../e2e/support/raw_socket.ts";
import { until } from "../e2e/support/until.ts";
import { encode, startStreams } from "./support/streams.ts";

/** The streams of transports, and whether they can write to the response. */
const BODIES = {
  plain: () => new ReadableStreamParts(),
  "with a large queue": () =>
    new ReadableStreamParts(new CountQueuingStrategy({ highWaterMark: 50 })),
  "counted in bytes": () =>
    new ReadableStreamParts(
      new ByteLengthQueuingStrategy({ highWaterMark: 1_000 }),
    ),
  "without a queue": () =>
    new ReadableStreamParts(new CountQueuingStrategy({ highWaterMark: 0 })),
  "of bytes": () => new ReadableStreamParts(undefined, "bytes"),
  "passed through another one": () =>
    new ReadableStreamParts(undefined, undefined, markedFrames()),
};

/** What a test does, in one order. */
type Step =
  | "send"
  | "large"
  | "broadcast"
  | "write"
  | "microtask"
  | "turn"
  | "timer";
const STEPS: readonly Step[] = [
  "send",
  "large",
  "broadcast",
  "write",
  "microtask",
  "turn",
  "timer",
];

const LARGE = `: ${"x".repeat(300_000)}\n\n`;

/** The parts of a transport's stream. */
class ReadableStreamParts {
  controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  onCreated: () => void = () => {};
  readonly #strategy: QueuingStrategy | undefined;
  readonly #type: "bytes" | undefined;
  readonly #through: ReadableWritablePair<Uint8Array, Uint8Array> | undefined;

  constructor(
    strategy?: QueuingStrategy,
    type?: "bytes",
    through?: ReadableWritablePair<Uint8Array, Uint8Array>,
  ) {
    this.#strategy = strategy;
    this.#type = type;
    this.#through = through;
  }

  create(
    id: string,
    streams: InMemorySessions["streams"],
  ): ReadableStream<Uint8Array> {
    const source = {
      type: this.#type,
      start: (controller: ReadableStreamDefaultController<Uint8Array>) => {
        this.controller = controller;
        streams.create(id, controller);
        this.onCreated();
      },
      cancel: () => streams.delete(id),
    };
    const body = new ReadableStream(
      source as UnderlyingDefaultSource<Uint8Array>,
      this.#strategy,
    );
    return this.#through === undefined ? body : body.pipeThrough(this.#through);
  }
}

/** Marks each frame, so that one that does not pass is noticed. */
function markedFrames(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  return new TransformStream({
    transform(chunk, controller) {
      const text = decoder.decode(chunk, { stream: true });
      controller.enqueue(encode(text.replaceAll("data: ", "data: #")));
    },
  });
}

function framesOf(socket: RawSocket): string[] {
  const matches = socket.received().matchAll(/data: (#?\d+)\n/g);
  return [...matches].map(([, frame]) => frame!);
}

async function wait(step: Step): Promise<void> {
  if (step === "microtask") await Promise.resolve();
  else if (step === "turn") {
    await new Promise((resolve) => setImmediate(resolve));
  } else await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("The hand-over from a Web Stream to Node's response", () => {
  for (const [name, newParts] of Object.entries(BODIES)) {
    it(`S7 S8 loses, doubles and reorders nothing, with a stream ${name}`, async () => {
      let parts = newParts();
      let delay = 0;
      const options = { streams: { backlog: false } } as const;
      await using server = await startStreams(options, async (id, streams) => {
        const body = parts.create(id, streams);
        for (let left = delay; left > 0; left--) await wait("timer");
        return body;
      });
      const { streams } = server.sessions;
      const steps = fc.array(fc.constantFrom(...STEPS), {
        minLength: 20,
        maxLength: 80,
        size: "max",
      });
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(4), async (steps, turns) => {
          delay = turns;
          parts = newParts();
          const id = await server.begin();
          let sent = 0;
          const written: number[] = [];
          const run = async () => {
            // Something must be sent, or some servers don't send the head.
            for (const step of [...steps, "send", "turn", "send"]) {
              const frame = () => `data: ${++sent}\n\n`;
              if (step === "send") streams.send([id], frame());
              // The response has no capacity for more until it is sent.
              else if (step === "large") streams.send([id], LARGE + frame());
              else if (step === "broadcast") streams.send(undefined, frame());
              else if (step === "write") {
                written.push(sent + 1);
                parts.controller!.enqueue(encode(frame()));
              } else await wait(step as Step);
            }
          };
          let done: Promise<void> | undefined;
          // Begins before the transport has returned the response.
          parts.onCreated = () => done = run();
          const socket = await server.open(id);
          await done;
          await until(
            () => framesOf(socket).length >= sent,
            () => `${sent} frames, but got ${framesOf(socket)}`,
          );
          const prefix = name.startsWith("passed") ? "#" : "";
          const numbers = Array.from({ length: sent }, (_, at) => at + 1);
          const isOurs = (frame: string) =>
            !written.includes(Number(frame.replace("#", "")));
          const received = framesOf(socket);
          const expected = numbers.map((number) => `${prefix}${number}`);
          // What a transport writes later may overtake frames of this turn.
          assertEquals(received.filter(isOurs), expected.filter(isOurs));
          assertEquals([...received].sort(), [...expected].sort());
          socket.destroy();
        }),
        { numRuns: 25 },
      );
      await until(() => server.sessions.stats().attached === 0, "the end");
      assertEquals(server.reported, []);
    });
  }

  it("S7 waits until a slow reader has read what is in the Web Stream", async () => {
    const options = { streams: { backlog: false } } as const;
    const padding = `: ${"x".repeat(1_000_000)}\n\n`;
    const parts = new ReadableStreamParts();
    let sent = 0;
    const send = () => server.sessions.streams.send(undefined, frame());
    const frame = () => `${padding}data: ${++sent}\n\n`;
    await using server = await startStreams(options, async (id, streams) => {
      const body = parts.create(id, streams);
      for (let left = 15; left > 0; left--) {
        send();
        await wait("timer");
      }
      return body;
    });
    const id = await server.begin();
    const socket = await openSocket(server.url, "GET", {
      "mcp-session-id": id,
    });
    socket.pause();
    await until(() => sent === 15, "the first frames");
    for (let left = 15; left > 0; left--) {
      send();
      await wait("timer");
    }
    socket.resume();
    await until(() => framesOf(socket).length === sent, "the frames");
    const expected = Array.from({ length: sent }, (_, at) => `${at + 1}`);
    assertEquals(framesOf(socket), expected);
    socket.destroy();
  });
});
