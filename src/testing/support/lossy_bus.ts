import type { MessageBus } from "../../cluster/messaging/message_bus.ts";

/** The network, as a bus uses it. */
export interface LossyBusOwner {
  /** The longest message, in bytes of UTF-8. */
  readonly maxLength: number | undefined;
  /** Lets a bus receive from now on. */
  attach(bus: LossyBus): void;
  /** Stops that. */
  detach(bus: LossyBus): void;
  /** Sends a message. */
  publish(bus: LossyBus, text: string, to: string | undefined): void;
}

/** The bus of one node of a `LossyNetwork`. */
export class LossyBus implements MessageBus {
  /** The name of its cluster. */
  readonly cluster: string;
  /** The name of its node; empty before it starts. */
  node = "";
  /** Receives a message that has arrived. */
  receive: (text: string) => void = () => {};
  readonly #owner: LossyBusOwner;

  /**
   * @param cluster The name of its cluster.
   * @param owner Its network.
   */
  constructor(cluster: string, owner: LossyBusOwner) {
    this.cluster = cluster;
    this.#owner = owner;
  }

  get maxLength(): number | undefined {
    return this.#owner.maxLength;
  }

  start(node: string, receive: (text: string) => void): void {
    this.node = node;
    this.receive = receive;
    this.#owner.attach(this);
  }

  publish(text: string, to: string | undefined): void {
    this.#owner.publish(this, text, to);
  }

  close(): void {
    this.#owner.detach(this);
  }
}
