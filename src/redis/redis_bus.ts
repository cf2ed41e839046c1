import type {
  FlowControl,
  MessageBus,
} from "../cluster/messaging/message_bus.ts";
import type { RedisConnection } from "./connection/connection.ts";
import { announcedCall } from "./calls/call.ts";
import { EchoCheck } from "./connection/echo_check.ts";
import type { RedisKeys } from "./connection/keys.ts";
import { isTransientError } from "./connection/redis_errors.ts";

/**
 * Carries messages between nodes by publishing them: one channel for each node,
 * and one for all. The event log publishes on the same channels.
 */
export class RedisBus implements MessageBus {
  readonly flowControl: FlowControl;
  /** Notices that this node receives nothing. */
  readonly echo: EchoCheck;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  #onEvents: (text: string) => void = () => {};
  #onBack: () => void = () => {};
  #onCall: (id: string) => void = () => {};
  /** Subscribes, if that has not succeeded yet. */
  #subscribe: (() => Promise<void>) | undefined;
  #onSubscribed: () => Promise<void> = () => Promise.resolve();
  #onRefused: (error: unknown) => void = () => {};

  /**
   * @param connection Publishes and subscribes.
   * @param keys The names of the channels.
   * @param heartbeatMs The time between two heartbeats, in milliseconds.
   */
  constructor(
    connection: RedisConnection,
    keys: RedisKeys,
    heartbeatMs: number,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.echo = new EchoCheck(heartbeatMs);
    // Every message costs every node some work. Losses only happen with a
    // connection, and are noticed with the next heartbeat.
    this.flowControl = {
      window: 256,
      ackDelayMs: heartbeatMs * 1.5,
      heartbeatsPerAck: 8,
      retransmitTimeoutMs: heartbeatMs * 2.5,
    };
  }

  /**
   * Sets the receiver of messages of the event log, and the callback for the
   * first message after some may have been lost.
   */
  onEvents(listener: (text: string) => void, onBack: () => void): void {
    this.#onEvents = listener;
    this.#onBack = onBack;
  }

  /** Sets the receiver of announced calls. */
  onCall(listener: (id: string) => void): void {
    this.#onCall = listener;
  }

  /**
   * Sets the callbacks for when this node has subscribed, for which `start`
   * waits, and for when the server denies that.
   */
  onSubscribed(
    listener: () => Promise<void>,
    onRefused: (error: unknown) => void,
  ): void {
    this.#onSubscribed = listener;
    this.#onRefused = onRefused;
  }

  async start(node: string, receive: (text: string) => void): Promise<void> {
    const channels = [
      this.#keys.channelOf(undefined),
      this.#keys.channelOf(node),
    ];
    this.#subscribe = () =>
      this.#connection.subscribe(
        channels,
        (text) => {
          if (this.echo.onReceived()) this.#onBack();
          const call = announcedCall(text);
          if (call !== undefined) this.#onCall(call);
          else if (text.startsWith("[")) this.#onEvents(text);
          else receive(text);
        },
      );
    await this.resubscribe();
  }

  /** Whether nothing can be published at the moment. */
  get isDown(): boolean {
    return !this.#connection.canRead;
  }

  /** Subscribes to the channels, if that has not succeeded yet. */
  async resubscribe(): Promise<void> {
    const subscribe = this.#subscribe;
    if (subscribe === undefined) return;
    this.#subscribe = undefined;
    try {
      await subscribe();
    } catch (error) {
      if (!isTransientError(error)) return this.#onRefused(error);
      // Some clients fail instead of queueing the command.
      this.#subscribe = subscribe;
      return;
    }
    await this.#onSubscribed();
  }

  publish(text: string, to: string | undefined): void {
    // What is lost in an outage is sent again afterwards.
    if (this.isDown) return;
    const message = to === undefined ? this.echo.onSend() : 0;
    this.#connection.publish(this.#keys.channelOf(to), text).then(
      () => this.echo.onPublished(message, performance.now()),
      (error) => this.#connection.report(error),
    );
  }

  close(): void {
    this.#connection.close();
  }
}
