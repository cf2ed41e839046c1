import type { FakeTime } from "@std/testing/time";

/** Short times, which are faked anyway. */
export const BEAT_MS = 20;
export const ANSWER_MS = 1_000;
/** After so long without a sign of life a node may be taken for dead. */
export const LEASE_MS: number = 3 * BEAT_MS;
/** After so long it is forgotten, and what is meant for it is kept no longer. */
export const MEMORY_MS: number = 30 * BEAT_MS;

/** How far the clock goes at once. */
const STEP_MS = 5;

/** Lets time pass, in steps, with some real turns of the event loop in between. */
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
 * @param mostMs How long that may take, in faked milliseconds.
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

/** Runs what waits for no timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
