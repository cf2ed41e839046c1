import { formatValue } from "../../format_value.ts";
import { InvalidArgumentError } from "../../errors.ts";
import { objectOption } from "../../contracts/resolve_options.ts";

/** Options of a node of a cluster. */
export interface ClusterOptions {
  /**
   * The name of this node, 1 to 256 characters. No two nodes may use the same
   * name at the same time. A node that takes the name of a dead one replaces it
   * at once.
   *
   * @default a new UUID
   */
  readonly node?: string | undefined;
  /**
   * How often a node shows that it is alive, in milliseconds, 10 to 60,000.
   * After three missed heartbeats, it and its streams are considered dead. A
   * new node that receives nothing for a quarter of this time considers itself
   * alone.
   *
   * @default 1_000
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long to wait for other nodes, in milliseconds, 1 to 60,000: for their
   * responses, and for them to confirm a write. Afterwards the call continues
   * without those that are late. A client that reconnects to another node waits
   * three heartbeats longer for the events it missed, because a busy node may
   * have them; after that time the node is considered dead.
   *
   * @default 1_000
   */
  readonly requestTimeoutMs?: number | undefined;
}

/** The options of a node, complete. */
export interface ClusterSettings {
  readonly node: string;
  readonly heartbeatMs: number;
  readonly requestTimeoutMs: number;
}

/**
 * Validates the options of a node and fills in the defaults.
 *
 * @param options The user's options.
 */
export function resolveClusterOptions(
  options: ClusterOptions | undefined,
): ClusterSettings {
  const { node, heartbeatMs, requestTimeoutMs } = objectOption(
    "cluster",
    options,
  );
  if (node !== undefined) assertName("cluster.node", node);
  return {
    node: node ?? crypto.randomUUID(),
    heartbeatMs: time("cluster.heartbeatMs", heartbeatMs, 10, 1_000),
    requestTimeoutMs: time(
      "cluster.requestTimeoutMs",
      requestTimeoutMs,
      1,
      1_000,
    ),
  };
}

/** Throws if a value cannot be the name of a cluster or a node. */
export function assertName(
  argument: string,
  name: unknown,
): asserts name is string {
  if (typeof name === "string" && name.length > 0 && name.length <= 256) return;
  throw new InvalidArgumentError(
    argument,
    `"${argument}" must be a string of 1 to 256 characters, but got ` +
      `${formatValue(name)}.`,
  );
}

const MAX_MS = 60_000;

function time(
  name: string,
  value: number | undefined,
  min: number,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value >= min && value <= MAX_MS) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a number of milliseconds from ${min} to ${MAX_MS}, ` +
      `but got ${formatValue(value)}.`,
  );
}
