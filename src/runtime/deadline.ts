/**
 * Resolves with the result of a promise, or with undefined after a timeout.
 */
export async function waitAtMost<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** How often a condition is checked, in milliseconds. */
const POLL_MS = 20;

/** Resolves when a condition holds, or after a timeout. */
export async function waitUntil(
  condition: () => boolean,
  timeoutMs: number,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition() && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
