import type { Arrival } from "./clients.ts";

/**
 * Calculates the time from the call that sent an event until a client had it.
 *
 * @param arrivals The arrivals of events on all connections.
 * @param sentAt The time of each send, on the server's clock.
 * @param first The number of events sent before the first of them.
 * @param ahead How far the server's clock is ahead of the clients', in
 * milliseconds.
 * @returns Milliseconds, sorted.
 */
export function latencies(
  arrivals: readonly Arrival[],
  sentAt: readonly number[],
  first: number,
  ahead: number,
): Float64Array {
  const all: number[] = [];
  for (const [from, to, at] of arrivals) {
    for (let number = from; number <= to; number++) {
      const sent = sentAt[number - first - 1];
      if (sent !== undefined) all.push(at - (sent - ahead));
    }
  }
  return Float64Array.from(all).sort();
}

/** Returns the value that this percentage of the values does not exceed. */
export function percentile(sorted: Float64Array, percent: number): number {
  const at = Math.ceil(sorted.length * percent / 100) - 1;
  return sorted[Math.max(at, 0)] ?? NaN;
}
