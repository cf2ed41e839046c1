/** A timer function of Node, Deno and Bun that browsers lack. */
const { setImmediate } = globalThis as {
  setImmediate?: (callback: () => void) => unknown;
};

/**
 * Runs a callback at the end of the current turn of the event loop: after all
 * microtasks, and before timers and network events.
 */
export const atEndOfTurn: (callback: () => void) => void =
  typeof setImmediate === "function"
    ? (callback) => void setImmediate(callback)
    : (callback) => void setTimeout(callback, 0);

let next: Promise<void> | undefined;

/** Resolves in a later turn of the event loop: the same promise for all. */
export function nextTurn(): Promise<void> {
  return next ??= new Promise((resolve) =>
    atEndOfTurn(() => {
      next = undefined;
      resolve();
    })
  );
}
