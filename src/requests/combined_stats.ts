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
    evicted: {
      bytes: streams.evicted.bytes + others.evicted.bytes,
      age: streams.evicted.age + others.evicted.age,
    },
    replayed: streams.replayed + others.replayed,
    resets: streams.resets + others.resets,
  };
}
