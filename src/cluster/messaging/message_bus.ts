import { InvalidArgumentError } from "../../errors.ts";
import { formatValue } from "../../format_value.ts";

/**
 * Carries messages between the nodes of a cluster: at most once, in any order,
 * and not back to the node that published them. The cluster corrects lost,
 * duplicated and late messages.
 *
 * This is the port that a backend implements; `ClusterSessions` does the rest.
 * Each node has its own bus object. It calls `start` once, then `publish`, and
 * `close` in the end.
 */
export interface MessageBus {
  /**
   * The longest message that the bus carries, in bytes of UTF-8, at least 4,096.
   * Leave room for what the bus itself adds. The cluster sends longer packets in
   * fragments, and joins them at the receiver. It is read before each message,
   * so it may change with a connection.
   *
   * @default undefined messages of any length
   */
  readonly maxLength?: number | undefined;
  /**
   * When nodes send, acknowledge and send again: messages of a remote bus are
   * expensive, those of a local one may be lost. Read once.
   *
   * @default undefined a window of 16, acknowledged within 20 ms
   */
  readonly flowControl?: FlowControl | undefined;
  /**
   * Whether the connection to the broker is known to be broken. It is read a few
   * times in each heartbeat. Meanwhile, missed heartbeats are ignored, so that no
   * node is considered dead. When the connection is back, set it to false. No
   * call is needed: what was lost is sent again with the next heartbeats.
   *
   * @default undefined the bus works
   */
  readonly isDown?: boolean | undefined;
  /**
   * Starts to receive what is published to this node and to all. Called once,
   * before everything else.
   *
   * If it throws or rejects, that is reported, and the node stays alone.
   *
   * @param node The name of this node: 1 to 256 characters of any kind. No other
   * node of the cluster has it at the same time.
   * @param receive Call it with each message, unchanged. It doesn't throw. Never
   * call it from within `publish` of any bus.
   * @returns Resolves when everything that others publish from now on is
   * received.
   */
  start(
    node: string,
    receive: (text: string) => void,
  ): void | Promise<void>;
  /**
   * Publishes a message. Called many times at once, without waiting for earlier
   * calls. Don't wait for other nodes, and don't retry: the cluster does both.
   * Before `start` has resolved, and after `close`, the message may be dropped.
   *
   * It may throw or reject. The first failure is reported, and later ones after
   * a success in between. If a message is refused again and again, and others
   * are not, the cluster gives it up and resets the streams it was for.
   *
   * @param text The message: valid Unicode of any characters.
   * @param to The name of the node that it is for; `undefined` for all. It is no
   * error if there is no such node.
   * @returns If it takes time, a promise that resolves when the broker has the
   * message.
   */
  publish(text: string, to: string | undefined): void | Promise<void>;
  /**
   * Stops receiving. May be called more than once, before `start` has resolved,
   * and while the broker is unavailable. It should neither throw nor wait for
   * more than a moment.
   *
   * @returns Resolves when everything that was published before has been sent.
   */
  close(): void | Promise<void>;
}

/** How nodes limit what they send, and acknowledge what they receive. */
export interface FlowControl {
  /**
   * The send window: how many batches a receiver may leave unacknowledged before
   * the sender waits for it.
   */
  readonly window: number;
  /**
   * The longest delay of the acknowledgement of a message to one node, in
   * milliseconds. Messages to all are acknowledged with heartbeats.
   */
  readonly ackDelayMs: number;
  /**
   * How many heartbeats a node may send until one of them acknowledges an idle
   * peer, so that it notices peers that have forgotten it. With more than 16
   * peers, they take turns, and it takes longer.
   */
  readonly heartbeatsPerAck: number;
  /**
   * After how long without an acknowledgement a sender no longer waits for a
   * receiver, in milliseconds.
   */
  readonly retransmitTimeoutMs: number;
}

/** Flow control for buses on which messages are cheap, but may be lost. */
export const IN_PROCESS_FLOW: FlowControl = {
  window: 16,
  ackDelayMs: 20,
  heartbeatsPerAck: 1,
  retransmitTimeoutMs: 100,
};

/**
 * Flow control for buses over a broker that loses messages only with a
 * connection, or to slow receivers.
 */
export const BROKER_FLOW: FlowControl = {
  window: 64,
  ackDelayMs: 100,
  heartbeatsPerAck: 8,
  retransmitTimeoutMs: 500,
};

/** The largest send window of a node with many receivers, in batches. */
const MAX_SCALED_WINDOW = 128;

/**
 * Returns the send window of a node. It grows with the receivers, each of which
 * acknowledges a quarter of it at once, so that a stream of messages to all
 * costs as many acknowledgements whatever the number of nodes.
 *
 * @param flowControl The flow control of the bus.
 * @param peers The number of other nodes.
 */
export function windowFor({ window }: FlowControl, peers: number): number {
  return Math.max(window, Math.min(2 * peers, MAX_SCALED_WINDOW));
}

/** The smallest `maxLength`: names of nodes must fit into every message. */
const MIN_LENGTH = 4_096;

/**
 * Throws if a value is not a message bus.
 *
 * @param bus The value.
 * @throws {InvalidArgumentError} If a method is missing, or `maxLength` is
 * invalid.
 */
export function assertMessageBus(bus: unknown): asserts bus is MessageBus {
  const { maxLength, ...methods } = partsOf(bus);
  for (const [name, method] of Object.entries(methods)) {
    if (typeof method === "function") continue;
    throw new InvalidArgumentError(
      "bus",
      `"bus" must be a MessageBus with the methods start, publish and close, ` +
        `but its "${name}" is ${formatValue(method)}.`,
    );
  }
  const isValid = maxLength === undefined ||
    Number.isSafeInteger(maxLength) && (maxLength as number) >= MIN_LENGTH;
  if (isValid) return;
  throw new InvalidArgumentError(
    "bus.maxLength",
    `"bus.maxLength" must be an integer of at least ${MIN_LENGTH} bytes, or ` +
      `undefined for messages of any length, but got ${
        formatValue(maxLength)
      }.`,
  );
}

function partsOf(bus: unknown): Record<string, unknown> {
  const { start, publish, close, maxLength } = (bus ?? {}) as Partial<
    MessageBus
  >;
  return { start, publish, close, maxLength };
}
