import type { Arrival } from "./audience.ts";

/**
 * How long events took from the call that sent them until a client had them.
 *
 * @param arrivals When which arrived, on all connections.
 * @param sentAt When each was sent, on the server's clock.
 * @param first How many had been sent before the first of them.
 * @param ahead What the server's clock is ahead of the clients'.
 * @returns Milliseconds, in order.
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

/** The value that so many of 100 are not above. */
export function percentile(sorted: Float64Array, percent: number): number {
  const at = Math.ceil(sorted.length * percent / 100) - 1;
  return sorted[Math.max(at, 0)] ?? NaN;
}
