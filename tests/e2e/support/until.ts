/**
 * How long a condition may take, in milliseconds: less than the five seconds after
 * which Bun gives a test up, so that the message says what was waited for.
 */
const DEADLINE_MS = 4_000;

/**
 * Waits for what other parties do, without a fixed delay.
 *
 * @param condition Asked again and again until it holds.
 * @param what What is waited for; it becomes the message of the error. A function
 * is called after the deadline.
 * @param deadlineMs How long it may take, in milliseconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!await condition()) {
    if (performance.now() > end) {
      const missing = typeof what === "string" ? what : what();
      throw new Error(`Waited ${deadlineMs} ms for: ${missing}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Waits for a promise, but not forever.
 *
 * @param promise What is waited for.
 * @param what What it stands for; it becomes the message of the error.
 */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${DEADLINE_MS} ms for: ${what}.`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
