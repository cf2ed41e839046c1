/** Waiting, polling and deadlines of the contract suites. */

/**
 * Marks a promise that is awaited later. Without this, its rejection would end
 * the process if the test fails before it awaits the promise.
 */
export function inBackground<Value>(
  promise: Value | Promise<Value>,
): Promise<Value> {
  const pending = Promise.resolve(promise);
  pending.catch(() => {});
  return pending;
}

/** Polls a value for up to a second; returns the last one it has read. */
export async function eventually<Value>(
  read: () => Value,
  isExpected: (value: Value) => boolean,
): Promise<Value> {
  for (let attemptsLeft = 200; attemptsLeft > 0; attemptsLeft--) {
    if (isExpected(read())) break;
    await sleep(5);
  }
  return read();
}

/** Timers of Node and Deno, which Bun has as well. */
const { setImmediate } = globalThis as {
  setImmediate?: (callback: () => void) => unknown;
};

/**
 * Resolves in a later turn of the event loop, so that what was sent before and
 * what is sent after are not coalesced.
 */
export async function nextTurn(): Promise<void> {
  await sleep(0);
  // Node runs timers that are already due back to back, within one turn.
  if (setImmediate === undefined) return;
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

/**
 * Calls a function every few milliseconds until it returns true, for about a
 * second.
 *
 * @param isDone Called with the time since the start, in milliseconds.
 * @returns The longest time between two calls, in milliseconds. The test can't
 * tell anything about shorter periods.
 */
export async function pollUntil(
  isDone: (elapsedMs: number) => boolean | Promise<boolean>,
  intervalMs = 5,
): Promise<number> {
  const startedAt = performance.now();
  let previous = startedAt;
  let longestMs = 0;
  for (let remainingMs = 1_000; remainingMs > 0; remainingMs -= intervalMs) {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - previous);
    previous = now;
    if (await isDone(now - startedAt)) break;
    await sleep(intervalMs);
  }
  return Math.max(longestMs, performance.now() - previous);
}

/** How often {@linkcode retryOnStall} tries. */
const MAX_ATTEMPTS = 8;

/**
 * Runs a test that depends on time. An attempt during which the event loop
 * stalled proves nothing, so it is repeated, after a pause that gets longer each
 * time.
 *
 * @param maxStallMs The longest stall at which the attempt counts, in
 * milliseconds.
 * @param attempt Resolves to the longest stall that it has seen, and to the
 * assertions to run if the attempt counts.
 * @throws {Error} If every attempt stalled: nothing was tested then.
 */
export async function retryOnStall(
  maxStallMs: number,
  attempt: () => Promise<[stallMs: number, assertions: () => unknown]>,
): Promise<void> {
  let shortestMs = Infinity;
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    await sleep(50 * attempts);
    const [stallMs, assertions] = await attempt();
    if (stallMs < maxStallMs) {
      await assertions();
      return;
    }
    shortestMs = Math.min(shortestMs, stallMs);
  }
  throw new Error(
    `Nothing could be tested: the event loop stalled for at least ` +
      `${Math.round(shortestMs)} ms in each of ${MAX_ATTEMPTS} attempts, and ` +
      `this test needs stalls below ${Math.round(maxStallMs)} ms. Either the ` +
      `machine is busy, or a call of the manager takes that long. Run the ` +
      `test again on an idle machine.`,
  );
}

/** A timeout is counted in this many steps. */
const TIMEOUT_STEPS = 10;

/**
 * Waits for a promise.
 *
 * @param what What is waited for, for the message of the error.
 * @throws {Error} If it takes longer than the timeout.
 */
export async function withTimeout<Value>(
  promise: Value | Promise<Value>,
  what: string,
  timeoutMs: number,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    let stepsLeft = TIMEOUT_STEPS;
    // In steps, so that a stall of the whole process counts as one step only.
    const wait = () => {
      if (stepsLeft-- > 0) timer = setTimeout(wait, timeoutMs / TIMEOUT_STEPS);
      else reject(new Error(`Waited ${timeoutMs} ms for ${what}.`));
    };
    wait();
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Polls a condition until it holds.
 *
 * @param what What is waited for, for the message of the error.
 * @throws {Error} If it takes longer than the timeout.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs: number,
): Promise<void> {
  let isOver = false;
  const poll = async () => {
    while (!isOver && !await condition()) await sleep(5);
  };
  try {
    await withTimeout(poll(), what, timeoutMs);
  } finally {
    isOver = true;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
