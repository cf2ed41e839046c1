// Counts pending timers. Must be imported before the code that sets them.

/** The functions that set and clear a timer. */
type Pair = readonly [set: string, clear: string];

const PAIRS: readonly Pair[] = [
  ["setTimeout", "clearTimeout"],
  ["setInterval", "clearInterval"],
  ["setImmediate", "clearImmediate"],
];
type Timers = Record<string, (...args: unknown[]) => unknown>;

const pending = new Set<unknown>();
const timers = globalThis as unknown as Timers;
for (const [set, clear] of PAIRS) {
  const [setNow, clearNow] = [timers[set]!, timers[clear]!];
  timers[set] = (callback, ...args) => {
    const run = () => {
      if (set !== "setInterval") pending.delete(timer);
      (callback as () => void)();
    };
    const timer = setNow(run, ...args);
    pending.add(timer);
    return timer;
  };
  timers[clear] = (timer) => {
    pending.delete(timer);
    clearNow(timer);
  };
}

/** Returns the number of pending timers. */
export function pendingTimers(): number {
  return pending.size;
}
