/**
 * Streams with a reader, and clocks for tests that depend on time.
 *
 * @module
 */
import {
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "@crossmcp/session-manager";
import { FakeTime } from "@std/testing/time";
import { AsyncLocalStorage } from "node:async_hooks";

const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
const real = { setTimeout, setInterval, clearTimeout, clearInterval };
type Timers = typeof real;

const currentTest = new AsyncLocalStorage<object>();

/** Returns a test that runs with fake timers. */
export function usingFakeTime(
  run: (time: FakeTime) => void | Promise<void>,
): () => Promise<void> {
  return () => withFakeTime(run);
}

/**
 * Runs a function with fake timers, and restores the real ones afterwards. Code
 * that the function didn't start keeps the real timers: Bun runs all test files
 * in one process, and managers left over from other tests would otherwise set
 * their timers here.
 */
export function withFakeTime(
  run: (time: FakeTime) => void | Promise<void>,
): Promise<void> {
  const test = {};
  return currentTest.run(test, async () => {
    const time = new FakeTime(1_000_000);
    try {
      const { setTimeout, setInterval, clearTimeout, clearInterval } =
        globalThis;
      const fake = { setTimeout, setInterval, clearTimeout, clearInterval };
      for (const name of Object.keys(fake) as (keyof Timers)[]) {
        globalThis[name] = ((...args: Parameters<Timers[typeof name]>) => {
          const timers = currentTest.getStore() === test ? fake : real;
          return (timers[name] as (...args: unknown[]) => unknown)(...args);
        }) as never;
      }
      await run(time);
    } finally {
      time.restore();
    }
  });
}

/**
 * Moves the system clock forward without firing timers. Returns a function that
 * undoes it. Replaces `Date` instead of `Date.now`, because `FakeTime` may not
 * allow the latter.
 */
export function shiftSystemClock(ms: number): () => void {
  const { Date } = globalThis;
  globalThis.Date = new Proxy(Date, {
    get: (target, name, receiver) =>
      name === "now"
        ? () => Date.now() + ms
        : Reflect.get(target, name, receiver),
  });
  return () => void (globalThis.Date = Date);
}

/** Resolves at the end of the current turn of the event loop. */
export async function endOfTurn(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Advances the time in small steps, in which pending writes go on. */
export async function advance(time: FakeTime, ms: number): Promise<void> {
  await endOfTurn();
  for (let left = ms; left > 0; left -= 50) {
    time.tick(Math.min(left, 50));
    if (left % 500 === 0) await endOfTurn();
  }
  await endOfTurn();
}

/** The controller and the reader of a stream. */
export interface OpenedStream {
  readonly controller: ReadableStreamDefaultController;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Reads the next chunk as text. */
  read(): Promise<string>;
  /**
   * Reads everything until the stream ends. `end` is "closed", or the error of
   * the stream.
   */
  readToEnd(): Promise<{ text: string; end: unknown }>;
}

/** Opens a stream. */
export function openStream(
  strategy?: QueuingStrategy<Uint8Array>,
  source: UnderlyingDefaultSource<Uint8Array> = {},
): OpenedStream {
  let controller: ReadableStreamDefaultController | undefined;
  const start = (value: ReadableStreamDefaultController) => {
    controller = value;
  };
  const stream = new ReadableStream({ ...source, start }, strategy);
  return withReader(controller!, stream);
}

/** Opens a byte stream. */
export function openByteStream(): OpenedStream {
  let controller: unknown;
  const start = (value: unknown) => {
    controller = value;
  };
  const stream = new ReadableStream({ type: "bytes", start });
  return withReader(controller as ReadableStreamDefaultController, stream);
}

function withReader(
  controller: ReadableStreamDefaultController,
  stream: ReadableStream<Uint8Array>,
): OpenedStream {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  return {
    controller,
    reader,
    read: async () => decoder.decode((await reader.read()).value),
    readToEnd: async () => {
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

/** Encodes a text as UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A manager with the errors and evictions that it reported. */
export interface RecordedManager {
  readonly manager: InMemoryStreamSessionManager;
  readonly errors: Error[];
  readonly evicted: [sessionId: string, reason: string][];
}

/** Creates a manager that records what it reports. */
export function createManager(
  options: InMemoryStreamSessionManagerOptions = {},
): RecordedManager {
  const errors: RecordedManager["errors"] = [];
  const evicted: RecordedManager["evicted"] = [];
  const manager = new InMemoryStreamSessionManager({
    ...options,
    onError: (error) => void errors.push(error),
    onEvict: (sessionId, reason) => void evicted.push([sessionId, reason]),
  });
  return { manager, errors, evicted };
}
