import type { History } from "./history.ts";

const INTERVAL_MS = 50;
/** How late a timer may be, in milliseconds. */
const LIMIT_MS = 400;

/**
 * Adds a fault whenever the machine was too busy to run a timer in time, or for
 * the heartbeats of a node to arrive: it is considered dead then.
 */
export function watchBusy(history: History): () => void {
  let last = history.now;
  const timer = setInterval(() => {
    const { now } = history;
    const from = last;
    last = now;
    const isLate = now - from >= INTERVAL_MS + LIMIT_MS &&
      !history.faults.some((span) =>
        span.fault === "block" && span.from >= from
      );
    const isMissed = !history.isDisturbed(now, now) && missesNode(history);
    if (!isLate && !isMissed) return;
    history.faults.push({
      fault: "busy",
      node: undefined,
      from,
      healedAt: now,
    });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Returns whether a node considers another one dead that is alive. */
function missesNode({ nodes }: History): boolean {
  const alive = nodes.filter(({ goneAt }) => goneAt === Infinity);
  return alive.some((node) => alive.some((other) => node.misses(other)));
}
