import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";

/** A notification of PostgreSQL. */
export interface PostgresNotification {
  /** The process of the connection that sent it. */
  readonly processId: number;
  /** Its channel. */
  readonly channel: string;
  /** Its text. */
  readonly payload?: string | undefined;
}

/** What this package uses of a client of a pool of `pg`. */
export interface PostgresClient {
  /** Runs a statement. */
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly unknown[] }>;
  /** Adds a listener for notifications. */
  on(
    event: "notification",
    listener: (notification: PostgresNotification) => void,
  ): unknown;
  /** Adds a listener for errors of the connection. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Adds a listener for the end of the connection. */
  on(event: "end", listener: () => void): unknown;
  /** Removes a listener for notifications. */
  off(
    event: "notification",
    listener: (notification: PostgresNotification) => void,
  ): unknown;
  /** Removes a listener for errors, or for the end of the connection. */
  off(event: "error" | "end", listener: (error?: Error) => void): unknown;
  /**
   * Gives the client back.
   *
   * @param isBroken Whether to close its connection.
   */
  release(isBroken?: boolean): void;
}

/**
 * What this package uses of a `Pool` of `pg`. Each node keeps one client of it.
 */
export interface PostgresPool {
  /** Takes a connected client out of the pool. */
  connect(): Promise<PostgresClient>;
}

/** Throws if a value is not a pool. */
export function assertPool(pool: unknown): asserts pool is PostgresPool {
  const { connect } = (pool ?? {}) as Partial<PostgresPool>;
  if (typeof connect === "function") return;
  throw new InvalidArgumentError(
    "pool",
    `"pool" must be a Pool of "pg", but got ${formatValue(pool)}.`,
  );
}
