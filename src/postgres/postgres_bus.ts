import { assertName } from "../cluster/membership/options.ts";
import {
  BROKER_FLOW,
  type FlowControl,
  type MessageBus,
} from "../cluster/messaging/message_bus.ts";
import { waitAtMost } from "../runtime/deadline.ts";
import { ChannelNames } from "./channel_names.ts";
import { ListeningConnection } from "./connection.ts";
import { decodePayload, encodePayload } from "./payload.ts";
import { assertPool, type PostgresPool } from "./pool.ts";

/** A payload of `NOTIFY` must be shorter than 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_999;
/** How many messages are in one statement. */
const MAX_BATCH = 500;
/** How many messages may wait for the server. */
const MAX_PENDING = 20_000;
/** How long `close` waits for the server, in milliseconds. */
const CLOSE_MS = 1_000;

const NOTIFY = "SELECT pg_notify(channel, payload) FROM " +
  "unnest($1::text[], $2::text[]) AS message (channel, payload)";

/** A message that waits for the server. */
interface PendingMessage {
  readonly text: string;
  readonly to: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Carries messages between nodes over `LISTEN` and `NOTIFY` of PostgreSQL: one
 * channel for each node, and one for all. Uses one client of the pool. While a
 * statement runs, messages are collected for the next one.
 */
export class PostgresBus implements MessageBus {
  readonly flowControl: FlowControl = BROKER_FLOW;
  readonly maxLength: number = MAX_PAYLOAD_BYTES;
  readonly #channels: ChannelNames;
  readonly #connection: ListeningConnection;
  readonly #pending: PendingMessage[] = [];
  #node = "";
  #receive: (text: string) => void = () => {};
  #sending: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Creates the bus of one node.
   *
   * @param name The name of the cluster, 1 to 256 characters.
   * @param pool A pool of `pg`.
   * @throws {InvalidArgumentError} If the name or the pool is invalid.
   */
  constructor(name: string, pool: PostgresPool) {
    assertName("name", name);
    assertPool(pool);
    this.#channels = new ChannelNames(name);
    this.#connection = new ListeningConnection(
      pool,
      () =>
        Promise.all([
          this.#channels.of(undefined),
          this.#channels.of(this.#node),
        ]),
      ({ payload = "" }) => this.#receive(decodePayload(payload)),
    );
  }

  /** Whether there is no connection at the moment. */
  get isDown(): boolean {
    return this.#connection.isDown;
  }

  async start(node: string, receive: (text: string) => void): Promise<void> {
    this.#node = node;
    this.#receive = receive;
    await this.#connection.start();
  }

  publish(text: string, to: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return resolve();
      if (this.#pending.length >= MAX_PENDING) {
        throw new Error(`${MAX_PENDING} messages wait for PostgreSQL.`);
      }
      this.#pending.push({ text: encodePayload(text), to, resolve, reject });
      this.#sending ??= this.#sendAll();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#receive = () => {};
    if (this.#sending !== undefined) await waitAtMost(this.#sending, CLOSE_MS);
    await this.#connection.close();
  }

  async #sendAll(): Promise<void> {
    while (this.#pending.length > 0) {
      await this.#send(this.#pending.splice(0, MAX_BATCH));
    }
    this.#sending = undefined;
  }

  async #send(messages: readonly PendingMessage[]): Promise<void> {
    try {
      const channels = await Promise.all(
        messages.map(({ to }) => this.#channels.of(to)),
      );
      const payloads = messages.map(({ text }) => text);
      await this.#connection.query(NOTIFY, [channels, payloads]);
      for (const { resolve } of messages) resolve();
    } catch (error) {
      if (this.#connection.isDown || messages.length === 1) {
        for (const { reject } of messages) reject(error);
        return;
      }
      // One of them was refused, which must not stop the others.
      for (const message of messages) await this.#send([message]);
    }
  }
}
