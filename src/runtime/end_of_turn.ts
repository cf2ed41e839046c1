/** Timers of Node and Deno, which Bun has as well; browsers and others do not. */
const { setImmediate } = globalThis as {
  setImmediate?: (callback: () => void) => unknown;
};

/**
 * Calls back at the end of the current turn of the event loop: after all that
 * promises have put off, across any number of `await`s that wait for nothing else,
 * and before timers and the network get their turn.
 */
export const atEndOfTurn: (callback: () => void) => void =
  typeof setImmediate === "function"
    ? (callback) => void setImmediate(callback)
    : (callback) => void setTimeout(callback, 0);
