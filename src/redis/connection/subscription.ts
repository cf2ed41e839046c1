import type {
  OwnConnection,
  SubscriberAdapter,
} from "../clients/client_adapter.ts";
import type { MessageListener } from "../clients/client_types.ts";
import type { SubscriberSource } from "../clients/resolve_clients.ts";

/** What this node has subscribed to, over the user's client or its own. */
export class Subscription {
  readonly #source: SubscriberSource;
  readonly #onResubscribed: () => void;
  #stop: () => void = () => {};
  #isClosed = false;

  /**
   * @param source Where messages are received.
   * @param onResubscribed Called when the client has reconnected, and may have
   * missed messages.
   */
  constructor(source: SubscriberSource, onResubscribed: () => void) {
    this.#source = source;
    this.#onResubscribed = onResubscribed;
  }

  /**
   * Subscribes to channels.
   *
   * @throws The error of the client or the server.
   */
  async start(channels: string[], listener: MessageListener): Promise<void> {
    const { given, open } = this.#source;
    const own = given === undefined ? open!() : undefined;
    this.#stop = () => own?.close();
    try {
      const client = given ?? await own!.connected;
      await this.#use(client, own, channels, listener);
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /** Unsubscribes, and closes the connection that this has opened. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  async #use(
    client: SubscriberAdapter,
    own: OwnConnection | undefined,
    channels: string[],
    listener: MessageListener,
  ): Promise<void> {
    const stopListening = client.listen({ onReady: this.#onResubscribed });
    this.#stop = () => {
      stopListening();
      own?.close();
    };
    await client.subscribe(channels, listener);
    if (own === undefined) {
      this.#stop = () => {
        stopListening();
        // The user may have closed the client already.
        client.unsubscribe(channels, listener).catch(() => {});
      };
    }
    if (this.#isClosed) this.#stop();
  }
}
