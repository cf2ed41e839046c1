import type { FakeTime } from "@std/testing/time";

/** Short times; the clock is fake. */
export const HEARTBEAT_MS = 20;
export const ANSWER_MS = 1_000;
/** After this long without a heartbeat, a node may be down. */
export const LEASE_MS: number = 3 * HEARTBEAT_MS;
/** After this long, a node is forgotten, and messages for it are dropped. */
export const MEMORY_MS: number = 30 * HEARTBEAT_MS;

/** How far the clock advances at once. */
const STEP_MS = 5;

/**
 * Lets time pass, in steps, with some real turns of the event loop in between.
 */
export async function pass(time: FakeTime, ms: number): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= STEP_MS) {
    time.tick(Math.min(left, STEP_MS));
    await settle();
  }
}

/**
 * Lets time pass until a promise has settled.
 *
 * @param mostMs How long that may take, in fake milliseconds.
 */
export async function settled<Value>(
  time: FakeTime,
  promise: Value | Promise<Value>,
  what: string,
  mostMs: number = 5 * ANSWER_MS,
): Promise<Value> {
  const state = { isSettled: false };
  const note = () => void (state.isSettled = true);
  const started = Promise.resolve(promise);
  started.then(note, note);
  await settle();
  for (let left = mostMs; !state.isSettled; left -= STEP_MS) {
    if (left <= 0) throw new Error(`${what} took longer than ${mostMs} ms.`);
    await pass(time, STEP_MS);
  }
  return await started;
}

/** Runs everything that waits for no timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
