import type { ClusterStats } from "../cluster/membership/node_info.ts";
import type { SessionsStats } from "../contracts/stats.ts";
import type { MeasurementAttributes, Meter } from "./meter.ts";

/** A value that is read, and its attributes. */
export type Observation = readonly [
  value: number,
  attributes?: MeasurementAttributes,
];

/** An instrument that is read from `stats()`. */
export interface ObservedInstrument<Stats> {
  readonly name: string;
  /** The method of a meter that creates it. */
  readonly create: Extract<keyof Meter, `createObservable${string}`>;
  readonly unit: string;
  readonly description: string;
  readonly read: (stats: Stats) => readonly Observation[];
}

const COUNTER = "createObservableCounter";
/** For values that can be added up over nodes. */
const SUM = "createObservableUpDownCounter";
const GAUGE = "createObservableGauge";

/** The instruments of every backend. */
export const INSTRUMENTS: readonly ObservedInstrument<SessionsStats>[] = [
  {
    name: "crossmcp.active_sessions",
    create: GAUGE,
    unit: "{session}",
    description: "Sessions that are known here and have not ended.",
    read: ({ sessions }) => [[sessions]],
  },
  {
    name: "crossmcp.session.begun",
    create: COUNTER,
    unit: "{session}",
    description: "Sessions that have begun here.",
    read: ({ begun }) => [[begun]],
  },
  {
    name: "crossmcp.session.ended",
    create: COUNTER,
    unit: "{session}",
    description: "Sessions that have ended here, by the reason.",
    read: ({ ended }) => by("crossmcp.session.end_reason", ended),
  },
  {
    name: "crossmcp.active_streams",
    create: SUM,
    unit: "{stream}",
    description: "Sessions with an open stream.",
    read: ({ attached }) => [[attached]],
  },
  {
    name: "crossmcp.stream.frames",
    create: COUNTER,
    unit: "{frame}",
    description: "Frames written to streams, once for each stream.",
    read: ({ delivered }) => [[delivered]],
  },
  {
    name: "crossmcp.stream.queue.size",
    create: SUM,
    unit: "By",
    description: "Bytes that readers have not read.",
    read: ({ queuedBytes }) => [[queuedBytes]],
  },
  {
    name: "crossmcp.stream.evictions",
    create: COUNTER,
    unit: "{eviction}",
    description: "Readers that were evicted because they were too slow.",
    read: ({ evicted }) => by("crossmcp.stream.eviction_reason", evicted),
  },
  {
    name: "crossmcp.stream.replayed",
    create: COUNTER,
    unit: "{event}",
    description: "Missed events that were sent to clients that reconnected.",
    read: ({ replayed }) => [[replayed]],
  },
  {
    name: "crossmcp.stream.resets",
    create: COUNTER,
    unit: "{reset}",
    description: "Clients that could not get everything they missed.",
    read: ({ resets }) => by("crossmcp.stream.reset_reason", resets),
  },
  {
    name: "crossmcp.active_subscriptions",
    create: GAUGE,
    unit: "{subscription}",
    description:
      "Subscriptions to resources, and subscriptions/listen streams.",
    read: ({ subscriptions: { resources, listen } }) =>
      by("crossmcp.subscription.type", { resource: resources, listen }),
  },
  {
    name: "crossmcp.subscription.notifications",
    create: COUNTER,
    unit: "{notification}",
    description: "Notifications passed to subscriptions/listen streams.",
    read: ({ subscriptions: { notified } }) => [[notified]],
  },
  {
    name: "crossmcp.active_requests",
    create: SUM,
    unit: "{request}",
    description: "Requests that are being answered with an event stream.",
    read: ({ openRequests }) => [[openRequests]],
  },
];

/** The instruments of nodes of a cluster. */
export const CLUSTER_INSTRUMENTS: readonly ObservedInstrument<ClusterStats>[] =
  [
    {
      name: "crossmcp.cluster.live_nodes",
      create: GAUGE,
      unit: "{node}",
      description: "Nodes that this node considers alive, itself included.",
      read: ({ nodes }) => [[nodes]],
    },
    {
      name: "crossmcp.cluster.batches",
      create: COUNTER,
      unit: "{batch}",
      description: "Batches of messages sent to and received from other nodes.",
      read: ({ published, received }) =>
        by("network.io.direction", {
          transmit: published,
          receive: received,
        }),
    },
    {
      name: "crossmcp.cluster.retransmissions",
      create: COUNTER,
      unit: "{batch}",
      description: "Batches that were sent again.",
      read: ({ resent }) => [[resent]],
    },
    {
      name: "crossmcp.cluster.losses",
      create: COUNTER,
      unit: "{loss}",
      description: "How often messages may have been lost.",
      read: ({ lost }) => [[lost]],
    },
    {
      name: "crossmcp.cluster.outages",
      create: COUNTER,
      unit: "{outage}",
      description: "Outages of the message bus or Redis that were noticed.",
      read: ({ outages }) => [[outages]],
    },
    {
      name: "crossmcp.cluster.ignored_messages",
      create: COUNTER,
      unit: "{message}",
      description: "Messages that are malformed or of another version.",
      read: ({ ignored }) => [[ignored]],
    },
  ];

/** Returns one observation for each count. */
function by(
  attribute: string,
  counts: Readonly<Record<string, number>>,
): Observation[] {
  return Object.entries(counts).map(([value, count]) => [
    count,
    { [attribute]: value },
  ]);
}
