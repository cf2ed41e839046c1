import type {
  ConnectionEvents,
  OwnConnection,
  SubscriberAdapter,
} from "../clients/client_adapter.ts";
import type { MessageListener } from "../clients/client_types.ts";
import type { SubscriberSource } from "../clients/resolve_clients.ts";

/** How long a new connection may take, in milliseconds. */
const OPEN_TIMEOUT_MS = 5_000;

/** What this node has subscribed to, over the user's client or its own. */
export class Subscription {
  readonly #source: SubscriberSource;
  readonly #events: ConnectionEvents;
  #channels: string[] = [];
  #listener: MessageListener = () => {};
  /** Stops using the current connection. */
  #stop: () => void = () => {};
  #isReplacing = false;
  /** Whether the first connection is being opened. */
  #isStarting = false;
  #startsAgain = false;
  #isClosed = false;

  /**
   * @param source Where messages are received.
   * @param events Called when the client has lost its connection, and when it
   * has reconnected and may have missed messages.
   */
  constructor(source: SubscriberSource, events: ConnectionEvents) {
    this.#source = source;
    this.#events = events;
  }

  /**
   * Subscribes to channels.
   *
   * @throws The error of the client or the server.
   */
  async start(channels: string[], listener: MessageListener): Promise<void> {
    this.#channels = channels;
    this.#listener = listener;
    const { given, open } = this.#source;
    if (given !== undefined) return await this.#use(given);
    this.#isStarting = true;
    try {
      do {
        this.#startsAgain = false;
        await this.#open(open!).catch((error) => {
          if (!this.#startsAgain || this.#isClosed) throw error;
        });
      } while (this.#startsAgain);
    } finally {
      this.#isStarting = false;
    }
  }

  /** Whether a connection that is silent can be replaced. */
  get isReplaceable(): boolean {
    return this.#source.open !== undefined;
  }

  /** Whether the client does not report that its connection was lost. */
  get isQuiet(): boolean {
    return this.#source.isQuiet;
  }

  /** Replaces the connection by a new one, unless that is in progress. */
  replace(): void {
    const { open } = this.#source;
    if (open === undefined || this.#isReplacing || this.#isClosed) return;
    if (this.#isStarting) {
      this.#startsAgain = true;
      return this.#stop();
    }
    this.#isReplacing = true;
    this.#stop();
    this.#open(open).then(() => this.#events.onReady?.(), () => {
      // The next heartbeat tries again.
    }).finally(() => this.#isReplacing = false);
  }

  /** Unsubscribes, and closes the connection that this has opened. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  async #open(open: () => OwnConnection): Promise<void> {
    const own = open();
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => fail = reject);
    failed.catch(() => {});
    const timer = this.#isReplacing &&
      setTimeout(() => fail(new Error("no connection")), OPEN_TIMEOUT_MS);
    this.#stop = () => {
      own.close();
      fail(new Error("The connection was closed."));
    };
    try {
      const client = await Promise.race([own.connected, failed]);
      await Promise.race([this.#use(client, own), failed]);
    } catch (error) {
      own.close();
      throw error;
    } finally {
      if (timer) clearTimeout(timer);
    }
  }

  async #use(client: SubscriberAdapter, own?: OwnConnection): Promise<void> {
    let isCurrent = true;
    const listener: MessageListener = (message, channel) => {
      if (isCurrent) this.#listener(message, channel);
    };
    const stopListening = client.listen(this.#events);
    let isSubscribed = false;
    this.#stop = () => {
      isCurrent = false;
      stopListening();
      if (own !== undefined) own.close();
      // The user may have closed the client already.
      else if (isSubscribed) {
        client.unsubscribe(this.#channels, listener).catch(() => {});
      }
    };
    try {
      await client.subscribe(this.#channels, listener);
      isSubscribed = true;
    } catch (error) {
      this.#stop();
      throw error;
    }
    if (this.#isClosed) this.#stop();
  }
}
