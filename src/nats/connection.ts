import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";

/**
 * What this package uses of a connected NATS client: the `NatsConnection` of
 * `@nats-io/transport-node`, or of `wsconnect` of `@nats-io/nats-core`.
 */
export interface NatsConnection {
  /** What the server said about itself; undefined before it is connected. */
  readonly info?: { readonly max_payload: number } | undefined;
  /** Publishes a message. */
  publish(subject: string, payload: string): void;
  /** Subscribes to a subject. */
  subscribe(
    subject: string,
    options: {
      readonly callback: (
        error: Error | null,
        message: { readonly subject: string; string(): string },
      ) => void;
    },
  ): {
    /** Resolves when the subscription ends, with an error if that is why. */
    readonly closed: Promise<void | Error>;
    /** Ends the subscription. */
    unsubscribe(): void;
  };
  /** Resolves when the server has received what was published before. */
  flush(): Promise<void>;
  /** The changes of the state of the connection. */
  status(): AsyncIterable<{ readonly type: string }> & { stop?(): void };
  /** Returns whether the client was closed. */
  isClosed(): boolean;
}

const METHODS = [
  "publish",
  "subscribe",
  "flush",
  "status",
  "isClosed",
] as const;

/** Throws if a value is not a NATS connection. */
export function assertConnection(
  connection: unknown,
): asserts connection is NatsConnection {
  const methods = (connection ?? {}) as Partial<NatsConnection>;
  if (METHODS.every((name) => typeof methods[name] === "function")) return;
  throw new InvalidArgumentError(
    "connection",
    '"connection" must be a connected NATS client, the result of `await ' +
      'connect()` of "@nats-io/transport-node" or `await wsconnect()` of ' +
      `"@nats-io/nats-core", but got ${formatValue(connection)}.`,
  );
}
