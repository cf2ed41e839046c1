import type { FlowControl } from "../cluster/messaging/flow_control.ts";
import type { MessageBus } from "../cluster/messaging/message_bus.ts";
import type { RedisConnection } from "./connection/connection.ts";
import type { RedisKeys } from "./connection/keys.ts";
import { isTransientError } from "./connection/redis_errors.ts";

/**
 * Carries messages between nodes by publishing them: one channel a node, and one
 * for all. What the event log publishes is on the same channels.
 */
export class RedisBus implements MessageBus {
  readonly flowControl: FlowControl;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  #onEvents: (text: string) => void = () => {};
  /** What is still to be done to hear anything. */
  #subscribe: (() => Promise<void>) | undefined;
  #onSubscribed: () => Promise<void> = () => Promise.resolve();

  /**
   * @param connection What to publish with.
   * @param keys The names of the channels.
   * @param heartbeatMs How often nodes show that they live, in milliseconds.
   */
  constructor(
    connection: RedisConnection,
    keys: RedisKeys,
    heartbeatMs: number,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    // Each message costs every node a look, and one that is lost, which happens
    // with its connection only, shows with the next beat.
    this.flowControl = {
      window: 256,
      ackDelayMs: heartbeatMs * 1.5,
      heartbeatsPerAck: 8,
      retransmitTimeoutMs: heartbeatMs * 2.5,
    };
  }

  /** Takes what the event log publishes. */
  onEvents(listener: (text: string) => void): void {
    this.#onEvents = listener;
  }

  /** Told when this node hears what is published; `start` waits for it. */
  onSubscribed(listener: () => Promise<void>): void {
    this.#onSubscribed = listener;
  }

  async start(node: string, receive: (text: string) => void): Promise<void> {
    const { broadcastChannel, nodeChannelPrefix } = this.#keys;
    this.#subscribe = () =>
      this.#connection.subscribe(
        [broadcastChannel, nodeChannelPrefix + node],
        (text) => {
          if (text.startsWith("[")) this.#onEvents(text);
          else receive(text);
        },
      );
    await this.resubscribe();
  }

  /** Whether nothing can be published now. */
  get isDown(): boolean {
    return this.#connection.isDown;
  }

  /** Begins to hear what is published, if that has not worked yet. */
  async resubscribe(): Promise<void> {
    const subscribe = this.#subscribe;
    if (subscribe === undefined) return;
    this.#subscribe = undefined;
    try {
      await subscribe();
    } catch (error) {
      if (!isTransientError(error)) throw error;
      // Some clients do not keep what they cannot send.
      this.#subscribe = subscribe;
      return;
    }
    await this.#onSubscribed();
  }

  publish(text: string, to: string | undefined): void {
    const { broadcastChannel, nodeChannelPrefix } = this.#keys;
    const channel = to === undefined
      ? broadcastChannel
      : nodeChannelPrefix + to;
    // What is lost in an outage is sent again after it.
    if (this.#connection.isDown) return;
    this.#connection.run("PUBLISH", channel, text).catch((error) =>
      this.#connection.report(error)
    );
  }

  close(): void {
    this.#connection.close();
  }
}
