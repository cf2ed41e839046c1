/**
 * What the tests of the engine share.
 *
 * @module
 */
import { FakeTime } from "@std/testing/time";
import { AsyncLocalStorage } from "node:async_hooks";

const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
const real = { setTimeout, setInterval, clearTimeout, clearInterval };
type Timers = typeof real;

const tests = new AsyncLocalStorage<object>();

/** A test with a clock of its own. */
export function faked(
  run: (time: FakeTime) => void | Promise<void>,
): () => Promise<void> {
  return () => withFakeTime(run);
}

/**
 * Runs with a clock of its own, which is restored whatever becomes of it. What else
 * goes on in the process keeps to the real timers: Bun runs all files in one, and
 * managers that other tests have left there would set theirs here.
 */
export function withFakeTime(
  run: (time: FakeTime) => void | Promise<void>,
): Promise<void> {
  const test = {};
  return tests.run(test, async () => {
    const time = new FakeTime(1_000_000);
    try {
      const { setTimeout, setInterval, clearTimeout, clearInterval } =
        globalThis;
      const fake = { setTimeout, setInterval, clearTimeout, clearInterval };
      for (const name of Object.keys(fake) as (keyof Timers)[]) {
        globalThis[name] = ((...args: Parameters<Timers[typeof name]>) => {
          const timers = tests.getStore() === test ? fake : real;
          return (timers[name] as (...given: unknown[]) => unknown)(...args);
        }) as never;
      }
      await run(time);
    } finally {
      time.restore();
    }
  });
}

/**
 * Sets the system's clock, and no timer notices; the result sets it right again.
 * It is not enough to replace `Date.now`: what fakes time may not allow that.
 */
export function leap(ms: number): () => void {
  const { Date } = globalThis;
  globalThis.Date = new Proxy(Date, {
    get: (target, name, receiver) =>
      name === "now"
        ? () => Date.now() + ms
        : Reflect.get(target, name, receiver),
  });
  return () => void (globalThis.Date = Date);
}

/** Resolves when the turn of the event loop is over. */
export async function endOfTurn(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** A stream, with its controller at one end and its reader at the other. */
export interface Opened {
  readonly controller: ReadableStreamDefaultController;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** The text of the next chunk. */
  read(): Promise<string>;
  /** What is left, and how the stream ends. */
  rest(): Promise<{ text: string; end: unknown }>;
}

/** Opens a stream. */
export function open(
  strategy?: QueuingStrategy<Uint8Array>,
  source: UnderlyingDefaultSource<Uint8Array> = {},
): Opened {
  let controller: ReadableStreamDefaultController | undefined;
  const start = (given: ReadableStreamDefaultController) => {
    controller = given;
  };
  const stream = new ReadableStream({ ...source, start }, strategy);
  return opened(controller!, stream);
}

/** Opens a stream of bytes. */
export function openBytes(): Opened {
  let controller: unknown;
  const start = (given: unknown) => {
    controller = given;
  };
  const stream = new ReadableStream({ type: "bytes", start });
  return opened(controller as ReadableStreamDefaultController, stream);
}

function opened(
  controller: ReadableStreamDefaultController,
  stream: ReadableStream<Uint8Array>,
): Opened {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  return {
    controller,
    reader,
    read: async () => decoder.decode((await reader.read()).value),
    rest: async () => {
      let text = "";
      try {
        while (true) {
          const { done, value } = await reader.read();
          if (done) return { text, end: "closed" };
          text += decoder.decode(value);
        }
      } catch (end) {
        return { text, end };
      }
    },
  };
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
