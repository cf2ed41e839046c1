import type { ClusterStats } from "../cluster/membership/node_info.ts";
import { assertHosting } from "../contracts/hosting.ts";
import type { Sessions } from "../contracts/sessions.ts";
import type { SessionsStats } from "../contracts/stats.ts";
import {
  CLUSTER_INSTRUMENTS,
  INSTRUMENTS,
  type Observation,
  type ObservedInstrument,
} from "./instruments.ts";
import {
  assertMeter,
  type BatchCallback,
  type Meter,
  type ObservableInstrument,
} from "./meter.ts";

/** What {@linkcode instrumentSessions} returns. `using` disposes of it as well. */
export interface SessionsInstrumentation extends Disposable {
  /**
   * Stops recording and reading. Measurements that were collected before stay.
   * Calling it again changes nothing.
   */
  dispose(): void;
}

/** The counters of any backend. */
type AnyStats = SessionsStats & { readonly cluster?: ClusterStats };

/** The buckets of the semantic conventions, in seconds. */
const DURATION_BUCKETS = [
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  30,
  60,
  120,
  300,
];
/** The attributes of all durations: the transports of sessions use HTTP. */
const HTTP = { "network.protocol.name": "http" };

/**
 * Creates OpenTelemetry instruments for sessions, and keeps them up to date:
 *
 * - `mcp.server.session.duration`, in seconds: how long the sessions have lasted
 *   that ended on this node, as the semantic conventions for MCP define it
 *   (opentelemetry.io, "Semantic conventions for Model Context Protocol",
 *   "Metric: `mcp.server.session.duration`"). Sessions whose beginning this node
 *   does not know are left out.
 * - `crossmcp.*`: everything that `sessions.stats()` counts, which is called when
 *   metrics are collected. `docs/metrics.md` has all of them.
 *
 * No attribute has more than a few values. Call it once for each `…Sessions`
 * object: several ones need meters of different names.
 *
 * @param sessions The sessions, of any backend of this package.
 * @param meter A `Meter` of `@opentelemetry/api`.
 * @returns Stops it.
 * @throws {InvalidArgumentError} If an argument is invalid.
 *
 * @example With the global meter provider
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { instrumentSessions } from "@crossmcp/session-manager/otel";
 * import { metrics } from "@opentelemetry/api";
 *
 * await using sessions = new InMemorySessions();
 * using _ = instrumentSessions(sessions, metrics.getMeter("my server"));
 * ```
 */
export function instrumentSessions(
  sessions: Sessions,
  meter: Meter,
): SessionsInstrumentation {
  const hosting = assertHosting(sessions);
  assertMeter(meter);
  const duration = meter.createHistogram("mcp.server.session.duration", {
    unit: "s",
    description:
      "The duration of the MCP session as observed on the MCP server.",
    advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] },
  });
  const stopListening = hosting.listenForDurations((durationMs) =>
    duration.record(durationMs / 1_000, HTTP)
  );
  const isCluster = (sessions.stats() as AnyStats).cluster !== undefined;
  const all = [
    ...create(meter, INSTRUMENTS, (stats) => stats),
    ...isCluster
      ? create(meter, CLUSTER_INSTRUMENTS, ({ cluster }) => cluster!)
      : [],
  ];
  const instruments = all.map(({ instrument }) => instrument);
  const observe: BatchCallback = (result) => {
    const stats: AnyStats = sessions.stats();
    for (const { instrument, read } of all) {
      for (const observation of read(stats)) {
        result.observe(instrument, ...observation);
      }
    }
  };
  meter.addBatchObservableCallback(observe, instruments);
  const dispose = () => {
    stopListening();
    meter.removeBatchObservableCallback(observe, instruments);
  };
  return { dispose, [Symbol.dispose]: dispose };
}

/** An instrument of a meter, and where its values come from. */
interface CreatedInstrument {
  readonly instrument: ObservableInstrument;
  readonly read: (stats: AnyStats) => readonly Observation[];
}

function create<Stats>(
  meter: Meter,
  instruments: readonly ObservedInstrument<Stats>[],
  partOf: (stats: AnyStats) => Stats,
): CreatedInstrument[] {
  return instruments.map(({ name, create, unit, description, read }) => ({
    instrument: meter[create](name, { unit, description }),
    read: (stats) => read(partOf(stats)),
  }));
}
