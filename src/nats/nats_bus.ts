import { assertName } from "../cluster/membership/options.ts";
import {
  BROKER_FLOW,
  type FlowControl,
  type MessageBus,
} from "../cluster/messaging/message_bus.ts";
import { waitAtMost } from "../runtime/deadline.ts";
import { assertConnection, type NatsConnection } from "./connection.ts";
import { subjectToken } from "./subject_token.ts";

/** The prefix of subjects, which other uses of the server don't share. */
const PREFIX = "mcp-session-manager";
/** How long `close` waits for the server, in milliseconds. */
const CLOSE_MS = 1_000;
/**
 * Longer messages are confirmed by the server before the next ones are sent, so
 * that the client does not buffer them. In characters.
 */
const CONFIRMED_LENGTH = 65_536;

type Subscription = ReturnType<NatsConnection["subscribe"]>;

/**
 * Carries messages between nodes over a NATS server: one subject for each node,
 * and one for all. Several buses may share a connection. `close` leaves it open.
 *
 * While the client is disconnected, messages are refused, and the cluster sends
 * them again later.
 */
export class NatsBus implements MessageBus {
  readonly flowControl: FlowControl = BROKER_FLOW;
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  /** Marks what this bus publishes to all, so that it can ignore it. */
  readonly #id: string = crypto.randomUUID();
  #subscriptions: readonly Subscription[] = [];
  #status: ReturnType<NatsConnection["status"]> | undefined;
  #isDisconnected = false;

  /**
   * Creates the bus of one node.
   *
   * @param name The name of the cluster, 1 to 256 characters.
   * @param connection A connected client.
   * @throws {InvalidArgumentError} If the name or the connection is invalid.
   */
  constructor(name: string, connection: NatsConnection) {
    assertName("name", name);
    assertConnection(connection);
    this.#connection = connection;
    this.#prefix = `${PREFIX}.${subjectToken(name)}`;
  }

  /** The longest message that the server accepts, in bytes. */
  get maxLength(): number | undefined {
    return this.#connection.info?.max_payload;
  }

  /** Whether the client is disconnected. */
  get isDown(): boolean {
    return this.#isDisconnected || this.#connection.isClosed();
  }

  async start(node: string, receive: (text: string) => void): Promise<void> {
    void this.#watch();
    const fromAll = `${this.#prefix}.all`;
    const own = `${fromAll}.${this.#id}`;
    const callback = (
      error: Error | null,
      message: { readonly subject: string; string(): string },
    ) => {
      // An error ends the subscription, see below.
      if (error === null && message.subject !== own) receive(message.string());
    };
    this.#subscriptions = [`${fromAll}.*`, this.#subjectOf(node)].map(
      (subject) => this.#connection.subscribe(subject, { callback }),
    );
    const failures = this.#subscriptions.map(({ closed }) => closed);
    const failure = await Promise.race([
      this.#connection.flush(),
      ...failures,
    ]);
    if (failure instanceof Error) throw failure;
  }

  publish(text: string, to: string | undefined): void | Promise<void> {
    // It would be buffered without a limit. The cluster sends it again.
    if (this.#isDisconnected) {
      throw new Error("The NATS client is disconnected.");
    }
    const subject = to === undefined
      ? `${this.#prefix}.all.${this.#id}`
      : this.#subjectOf(to);
    this.#connection.publish(subject, text);
    if (text.length > CONFIRMED_LENGTH) return this.#connection.flush();
  }

  async close(): Promise<void> {
    this.#status?.stop?.();
    const subscriptions = this.#subscriptions;
    this.#subscriptions = [];
    if (this.#connection.isClosed()) return;
    for (const subscription of subscriptions) subscription.unsubscribe();
    if (this.#isDisconnected || subscriptions.length === 0) return;
    // It fails if the connection breaks: then nothing can be sent any more.
    const flushed = this.#connection.flush().catch(() => {});
    await waitAtMost(flushed, CLOSE_MS);
  }

  /** Follows the state of the connection. */
  async #watch(): Promise<void> {
    this.#isDisconnected = this.#connection.info === undefined;
    this.#status = this.#connection.status();
    for await (const { type } of this.#status) {
      if (type === "disconnect" || type === "close") {
        this.#isDisconnected = true;
      } else if (type === "reconnect") this.#isDisconnected = false;
    }
  }

  #subjectOf(node: string): string {
    return `${this.#prefix}.to.${subjectToken(node)}`;
  }
}
