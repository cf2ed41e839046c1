import { ClusterError } from "../../errors.ts";
import type { RedisConnection } from "./connection.ts";
import { FORMAT, type RedisKeys } from "./keys.ts";
import { Script } from "./script.ts";

/** The shortest lease of a format, in milliseconds. */
const MIN_LEASE_MS = 60_000;
/** The lease of a format, in heartbeats. */
const LEASE_HEARTBEATS = 30;

/**
 * Renews the lease of this node's format. Returns the format of the other nodes
 * if it is another one: "0" if they are older than formats. Nodes that have
 * none of their own yet find it by the log, which had another name.
 */
const AGREE: Script = new Script(`
local format, ttl, oldLog = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HGET', KEYS[1], 'format')
if known and known ~= format then return known end
-- Also fails as other writes would, for example if the server is full.
redis.call('HSET', KEYS[1], 'format', format)
extend(KEYS[1], ttl)
return redis.call('EXISTS', oldLog) == 1 and '0' or format
`);

/** Compares the format of this node with that of the others. */
export class FormatCheck {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #leaseMs: number;
  readonly #report: (error: Error) => void;
  /** Whether this node has found its own format, or none. */
  #hasStarted = false;
  #reported = "";

  /**
   * @param connection The server.
   * @param keys The names of the keys.
   * @param heartbeatMs The time between two heartbeats, in milliseconds.
   * @param report Called with an error if another format appears later.
   */
  constructor(
    connection: RedisConnection,
    keys: RedisKeys,
    heartbeatMs: number,
    report: (error: Error) => void,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#leaseMs = Math.max(MIN_LEASE_MS, LEASE_HEARTBEATS * heartbeatMs);
    this.#report = report;
  }

  /**
   * Throws if the first nodes that this one finds use another format. Later,
   * that is reported: nodes of one format do not see those of another.
   *
   * @throws {ClusterError} The error names both formats.
   */
  async check(): Promise<void> {
    const { format, unversionedLog } = this.#keys;
    const found = await this.#connection.evaluateUnchecked(AGREE, format, [
      String(FORMAT),
      String(this.#leaseMs),
      unversionedLog,
    ]);
    if (found === String(FORMAT)) this.#hasStarted = true;
    else if (!this.#hasStarted) throw this.#error(String(found));
    else if (found !== this.#reported) {
      this.#reported = String(found);
      this.#report(this.#error(this.#reported));
    }
  }

  #error(found: string): ClusterError {
    const { userPrefix, format, unversionedLog } = this.#keys;
    const [data, next] = found === "0"
      ? ["without a format", `delete the key "${unversionedLog}"`]
      : [`of format ${found}`, `wait until the key "${format}" has expired`];
    return new ClusterError(
      `Nodes of another release store data ${data} under the prefix ` +
        `"${userPrefix}", but this release uses format ${FORMAT}. Set ` +
        `another "prefix", or stop those nodes and ${next}.`,
    );
  }
}
