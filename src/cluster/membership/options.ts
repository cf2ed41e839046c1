import { formatValue } from "../../runtime/describe.ts";
import { InvalidArgumentError } from "../../errors.ts";
import { objectOption } from "../../contracts/resolve_options.ts";

/** Options of a node of a cluster. */
export interface ClusterOptions {
  /**
   * The name of this node, 1 to 256 characters: no two nodes may have the same at
   * the same time. One that takes the name of a node that died takes its place at
   * once.
   *
   * @default a new UUID
   */
  readonly node?: string | undefined;
  /**
   * How often a node shows that it lives, in milliseconds, 10 to 60,000. One that
   * was not heard of for three times as long is taken for dead, and its sessions
   * with it. A new node that hears of no other for a quarter of that takes itself
   * to be alone.
   *
   * @default 1_000
   */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long to wait for the other nodes, in milliseconds, 1 to 60,000: for their
   * answers, and for them to know of what was written before the write is said to
   * be done. It goes on without those that take longer.
   *
   * @default 1_000
   */
  readonly requestTimeoutMs?: number | undefined;
}

/** The options of a node with their defaults filled in. */
export interface ClusterSettings {
  readonly node: string;
  readonly heartbeatMs: number;
  readonly requestTimeoutMs: number;
}

/**
 * The options of a node with their defaults filled in.
 *
 * @param options What the user gave.
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

/** Refuses what cannot name a cluster or a node. */
export function assertName(
  argument: string,
  name: unknown,
): asserts name is string {
  if (typeof name === "string" && name.length > 0 && name.length <= 256) return;
  throw new InvalidArgumentError(
    argument,
    `"${argument}" has to be a string of 1 to 256 characters, not ` +
      `${formatValue(name)}.`,
  );
}

const MAX_MS = 60_000;

function time(
  name: string,
  value: number | undefined,
  least: number,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value >= least && value <= MAX_MS) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" has to be a number of milliseconds from ${least} to ${MAX_MS}, ` +
      `not ${formatValue(value)}.`,
  );
}
