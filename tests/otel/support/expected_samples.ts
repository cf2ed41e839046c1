import type { SessionsStats } from "@crossmcp/session-manager";
import type { ClusterSessionsStats } from "@crossmcp/session-manager/cluster";
import { assertEquals } from "@std/assert";
import { until } from "../../e2e/support/until.ts";
import type { PrometheusEndpoint, Sample } from "./prometheus_endpoint.ts";

/** The stats of any backend. */
export type AnyStats = SessionsStats & Partial<ClusterSessionsStats>;

type Expected = readonly [
  name: string,
  value: number,
  label?: readonly [name: string, value: string],
];

/** Returns what a Prometheus endpoint must have for these stats. */
export function expectedSamples(stats: AnyStats): Sample[] {
  const { cluster } = stats;
  const all: Expected[] = [
    ["crossmcp_active_sessions", stats.sessions],
    ["crossmcp_session_begun_total", stats.begun],
    ...by("crossmcp_session_ended_total", "session_end", stats.ended),
    ["crossmcp_active_streams", stats.attached],
    ["crossmcp_stream_frames_total", stats.delivered],
    ["crossmcp_stream_queue_size", stats.queuedBytes],
    ...by("crossmcp_stream_evictions_total", "stream_eviction", stats.evicted),
    ["crossmcp_stream_replayed_total", stats.replayed],
    ...by("crossmcp_stream_resets_total", "stream_reset", stats.resets),
    ...[
      ["resource", stats.subscriptions.resources] as const,
      ["listen", stats.subscriptions.listen] as const,
    ].map(([type, count]): Expected => [
      "crossmcp_active_subscriptions",
      count,
      ["crossmcp_subscription_type", type],
    ]),
    [
      "crossmcp_subscription_notifications_total",
      stats.subscriptions.notified,
    ],
    ["crossmcp_active_requests", stats.openRequests],
  ];
  if (cluster !== undefined) {
    const direction = "network_io_direction";
    all.push(
      ["crossmcp_cluster_live_nodes", cluster.nodes],
      [
        "crossmcp_cluster_batches_total",
        cluster.published,
        [direction, "transmit"],
      ],
      [
        "crossmcp_cluster_batches_total",
        cluster.received,
        [direction, "receive"],
      ],
      ["crossmcp_cluster_retransmissions_total", cluster.resent],
      ["crossmcp_cluster_losses_total", cluster.lost],
      ["crossmcp_cluster_outages_total", cluster.outages],
      ["crossmcp_cluster_ignored_messages_total", cluster.ignored],
    );
  }
  return all.map(([name, value, label]) => ({
    name,
    value,
    labels: label ? { [label[0]]: label[1] } : {},
  }));
}

function by(
  name: string,
  what: string,
  counts: Readonly<Record<string, number>>,
): Expected[] {
  return Object.entries(counts).map(([reason, count]) => [
    name,
    count,
    [`crossmcp_${what}_reason`, reason],
  ]);
}

/**
 * Expects that an endpoint has exactly what `stats()` returns, beside the
 * durations. Returns the stats.
 */
export async function assertAgrees<Stats extends AnyStats>(
  endpoint: PrometheusEndpoint,
  sessions: { stats(): Stats },
): Promise<Stats> {
  let stats = sessions.stats();
  let samples: Sample[] = [];
  // The counters of a cluster go on.
  await until(async () => {
    const before = JSON.stringify(sessions.stats());
    samples = await endpoint.scrape();
    stats = sessions.stats();
    return JSON.stringify(stats) === before;
  }, "a scrape during which nothing happens");
  const isDuration = /^mcp_server_session_duration/;
  assertEquals(
    sorted(samples.filter(({ name }) => !isDuration.test(name))),
    sorted(expectedSamples(stats)),
  );
  return stats;
}

/** Returns one line for each sample, sorted. */
function sorted(samples: readonly Sample[]): string[] {
  return samples.map(({ name, labels, value }) =>
    `${name} ${JSON.stringify(labels)} ${value}`
  ).sort();
}

/** The durations of sessions that an endpoint has. */
export interface Durations {
  readonly count: number;
  /** In seconds. */
  readonly sum: number;
  /** The upper bounds of the buckets, in seconds. */
  readonly buckets: readonly number[];
  readonly labels: Sample["labels"];
}

/** Returns the durations of sessions that an endpoint has; undefined if none. */
export async function durationsOf(
  endpoint: PrometheusEndpoint,
): Promise<Durations | undefined> {
  const samples = await endpoint.scrape();
  const one = (suffix: string) =>
    samples.filter(({ name }) =>
      name === `mcp_server_session_duration_${suffix}`
    );
  const [count, sum] = [one("count"), one("sum")];
  if (count.length === 0) return undefined;
  assertEquals([count.length, sum.length], [1, 1]);
  return {
    count: count[0]!.value,
    sum: sum[0]!.value,
    buckets: one("bucket").map(({ labels: { le = "" } }) =>
      le === "+Inf" ? Infinity : Number(le)
    ),
    labels: count[0]!.labels,
  };
}
