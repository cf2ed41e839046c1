import type { Client } from "./client.ts";
import { count } from "./report.ts";

/** Counts the streams of each worker. */
export function streamsOf(clients: readonly Client[]): Map<string, number> {
  const streams = new Map<string, number>();
  for (const { worker = "?" } of clients) {
    streams.set(worker, (streams.get(worker) ?? 0) + 1);
  }
  return streams;
}

/**
 * Formats counts per worker.
 *
 * @param counts The count of each worker.
 * @param noun What is counted.
 */
export function perWorker(
  counts: ReadonlyMap<string, number>,
  noun = "worker",
): string {
  return [...counts].toSorted()
    .map(([worker, times]) => `${count(times)} on ${noun} ${worker}`)
    .join(", ");
}
