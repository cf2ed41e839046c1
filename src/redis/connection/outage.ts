import { ClusterError } from "../../errors.ts";
import { toClientError } from "./client_errors.ts";
import { isTransientError, messageOf } from "./redis_errors.ts";

/** Why the server cannot be used now. */
export interface Outage {
  /** The first word of an error reply; `"connection"` or `"refused"`. */
  readonly kind: string;
  /** Whether the server does not answer at all. */
  readonly isLost: boolean;
  /** Whether only writes are rejected: reading and publishing still work. */
  readonly canRead: boolean;
  /** What is reported. */
  readonly error: Error;
}

const LOST = "connection";

const MEMORY =
  "https://github.com/crossmcp/session-manager/blob/main/docs/redis.md#memory-limits-and-eviction";

/** What error replies mean, and what to do. */
const REPLIES: Readonly<
  Record<string, { canRead?: boolean; problem: string; remedy: string }>
> = {
  OOM: {
    canRead: true,
    problem: "is out of memory and rejects writes",
    remedy: `Raise its "maxmemory", see ${MEMORY}.`,
  },
  MISCONF: {
    canRead: true,
    problem: "cannot save its data and rejects writes",
    remedy: "Check the disk and the log of the server.",
  },
  NOREPLICAS: {
    canRead: true,
    problem: "has too few replicas and rejects writes",
    remedy: 'Check the replicas, or lower its "min-replicas-to-write".',
  },
  READONLY: {
    problem: "is a replica, which rejects writes",
    remedy: "Connect to the primary, unless a failover is in progress.",
  },
  LOADING: { problem: "is loading its data", remedy: "" },
  MASTERDOWN: {
    problem: "is a replica without a primary",
    remedy: "Check the primary.",
  },
  CLUSTERDOWN: {
    problem: "Cluster is down",
    remedy: "Check that each shard has a primary.",
  },
  BUSY: {
    problem: "is busy with a script",
    remedy: "Check which one: all scripts of this package are short.",
  },
};
const REPLY = new RegExp(`\\b(${Object.keys(REPLIES).join("|")})\\b`);

/** Describes an outage by the error with which it began. */
export function describeOutage(cause: unknown): Outage {
  if (!isTransientError(cause)) {
    const error = toClientError(cause);
    return { kind: "refused", isLost: false, canRead: false, error };
  }
  const message = messageOf(cause);
  const [, kind = LOST] = REPLY.exec(message) ?? [];
  const { canRead = false, problem = "is unavailable", remedy = "" } =
    REPLIES[kind] ?? {};
  const effect = canRead
    ? "Streams are served, and what is not stored now follows later."
    : "Streams of this node are served, and other nodes are updated when it " +
      "is back.";
  const text = `Redis ${problem} (${message}). ${remedy} ${effect}`;
  const error = new ClusterError(text.replace("  ", " "), { cause });
  return { kind, isLost: kind === LOST, canRead, error };
}
