/**
 * Default timeout in milliseconds. Shorter than Bun's test timeout of five
 * seconds, so that the error message names the missing condition.
 */
const TIMEOUT_MS = 4_000;

/**
 * Polls until a condition holds.
 *
 * @param condition Called repeatedly until it returns true.
 * @param what The awaited condition, for the error message. A function is
 * called after the timeout.
 * @param timeoutMs The timeout in milliseconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs: number = TIMEOUT_MS,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!await condition()) {
    if (performance.now() > end) {
      const missing = typeof what === "string" ? what : what();
      throw new Error(`Waited ${timeoutMs} ms for: ${missing}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Waits for a promise, with a timeout.
 *
 * @param promise The promise to wait for.
 * @param what The awaited event, for the error message.
 * @param timeoutMs The timeout in milliseconds.
 */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${timeoutMs} ms for: ${what}.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
