import type { History } from "./history.ts";

const INTERVAL_MS = 50;
/** How late a timer may be, in milliseconds. */
const LIMIT_MS = 400;

/**
 * Adds a fault whenever the machine was too busy to run a timer in time.
 *
 * @returns Stops that.
 */
export function watchBusy(history: History): () => void {
  let last = history.now;
  const timer = setInterval(() => {
    const { now } = history;
    const from = last;
    last = now;
    if (now - from < INTERVAL_MS + LIMIT_MS) return;
    const isBlocked = history.faults.some((span) =>
      span.fault === "block" && span.from >= from
    );
    if (isBlocked) return;
    history.faults.push({
      fault: "busy",
      node: undefined,
      from,
      healedAt: now,
    });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
