import { ClusterError } from "../../errors.ts";
import {
  type FlowControl,
  IN_PROCESS_FLOW,
  type MessageBus,
} from "./message_bus.ts";
import {
  type Packet,
  type PacketBody,
  readPacket,
  VERSION,
} from "./protocol.ts";

/**
 * The message bus as one node uses it: packets instead of strings, and no
 * exceptions.
 */
export class PacketBus {
  /** The name of this node. */
  readonly name: string;
  readonly #bus: MessageBus;
  readonly #report: (error: Error) => void;
  /** Distinguishes this node from earlier ones of its name. */
  readonly incarnation: number = Date.now() * 1_000 +
    Math.floor(Math.random() * 1_000);
  #isBroken = false;
  #isClosed = false;
  #ignored = 0;

  /**
   * @param name The name of this node.
   * @param bus Carries the messages.
   * @param report Called once for each time that the bus fails.
   */
  constructor(name: string, bus: MessageBus, report: (error: Error) => void) {
    this.name = name;
    this.#bus = bus;
    this.#report = report;
  }

  /** The flow control of the bus. */
  get flowControl(): FlowControl {
    return this.#bus.flowControl ?? IN_PROCESS_FLOW;
  }

  /** Whether the bus is known to be down. */
  get isDown(): boolean {
    return this.#bus.isDown === true;
  }

  /** How many messages were ignored. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Starts to receive. */
  async start(receive: (packet: Packet) => void): Promise<void> {
    try {
      await this.#bus.start(this.name, (text) => {
        if (this.#isClosed) return;
        const packet = this.#read(text);
        if (packet === undefined) return;
        try {
          receive(packet);
        } catch (error) {
          // No message of another node may break this one.
          this.#ignored++;
          this.#report(error as Error);
        }
      });
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** Serializes a packet. */
  serialize(packet: PacketBody): string {
    return JSON.stringify({
      v: VERSION,
      from: this.name,
      incarnation: this.incarnation,
      ...packet,
    });
  }

  /** Sends a packet to one node or all. */
  send(packet: PacketBody, to?: string): void {
    this.publish(this.serialize(packet), to);
  }

  /** Sends a serialized packet to one node or all. */
  publish(text: string, to: string | undefined): void {
    if (this.#isClosed) return;
    try {
      const published = this.#bus.publish(text, to);
      if (published === undefined) this.#isBroken = false;
      else {
        published.then(
          () => this.#isBroken = false,
          (error) => this.#onFailure(error),
        );
      }
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** Counts a message that was ignored. */
  ignore(): void {
    this.#ignored++;
  }

  /** Stops sending and receiving. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#bus.close();
    } catch (cause) {
      this.#report(busError(cause));
    }
  }

  #read(text: unknown): Packet | undefined {
    const packet = readPacket(text);
    const isOwn = packet?.from === this.name;
    // A bus that echoes returns this node's own packets. A foreign incarnation
    // of the same name is another node.
    const isInvalid = packet === undefined ||
      (isOwn && packet.incarnation !== this.incarnation);
    if (isInvalid) this.#ignored++;
    return isOwn ? undefined : packet;
  }

  #onFailure(cause: unknown): void {
    if (this.#isBroken || this.#isClosed) return;
    this.#isBroken = true;
    this.#report(busError(cause));
  }
}

function busError(cause: unknown): ClusterError {
  return new ClusterError(
    "The message bus failed, so other nodes are unreachable. See `cause`.",
    { cause },
  );
}
