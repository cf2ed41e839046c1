import type { Client } from "./client.ts";
import { count } from "./report.ts";

/** How many streams hang on each worker. */
export function streamsOf(clients: readonly Client[]): Map<string, number> {
  const streams = new Map<string, number>();
  for (const { worker = "?" } of clients) {
    streams.set(worker, (streams.get(worker) ?? 0) + 1);
  }
  return streams;
}

/**
 * Numbers of the workers, in words.
 *
 * @param counts A number for each.
 * @param noun What they are.
 */
export function perWorker(
  counts: ReadonlyMap<string, number>,
  noun = "worker",
): string {
  return [...counts].toSorted()
    .map(([worker, times]) => `${count(times)} on ${noun} ${worker}`)
    .join(", ");
}
