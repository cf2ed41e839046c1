import type { StreamStats } from "../contracts/stats.ts";
import type { RequestStreams } from "./request_streams.ts";

/** Adds the counters of the responses to requests to those of streams. */
export function combinedStats(
  streams: StreamStats,
  requests: RequestStreams | undefined,
): StreamStats {
  if (requests === undefined) return streams;
  const others = requests.stats();
  return {
    attached: streams.attached,
    delivered: streams.delivered + others.delivered,
    queuedBytes: streams.queuedBytes + others.queuedBytes,
    evicted: sum(streams.evicted, others.evicted),
    replayed: streams.replayed + others.replayed,
    resets: sum(streams.resets, others.resets),
  };
}

/** Adds the counts of the same names. */
function sum<Counts extends Readonly<Record<string, number>>>(
  a: Counts,
  b: Counts,
): Counts {
  const sums = Object.entries(a).map((
    [name, count],
  ) => [name, count + b[name]!]);
  return Object.fromEntries(sums) as Counts;
}
