import { ClusterError } from "../../errors.ts";
import { type FlowControl, IN_PROCESS_FLOW } from "./flow_control.ts";
import type { MessageBus } from "./message_bus.ts";
import {
  type Packet,
  type PacketBody,
  readPacket,
  VERSION,
} from "./protocol.ts";

/** The bus as one node uses it: messages instead of texts, and no failures. */
export class PacketBus {
  /** The name of this node. */
  readonly name: string;
  readonly #bus: MessageBus;
  readonly #report: (error: Error) => void;
  /** Tells this node from earlier ones of its name. */
  readonly incarnation: number = Date.now() * 1_000 +
    Math.floor(Math.random() * 1_000);
  #isBroken = false;
  #isClosed = false;
  #ignored = 0;

  /**
   * @param name The name of this node.
   * @param bus What carries its messages.
   * @param report Told once each time that the bus is out of order.
   */
  constructor(name: string, bus: MessageBus, report: (error: Error) => void) {
    this.name = name;
    this.#bus = bus;
    this.#report = report;
  }

  /** How to pace what is sent. */
  get flowControl(): FlowControl {
    return this.#bus.flowControl ?? IN_PROCESS_FLOW;
  }

  /** Whether the bus is known to be out of order. */
  get isDown(): boolean {
    return this.#bus.isDown === true;
  }

  /** How many messages were of no use. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Begins to receive. */
  async start(receive: (packet: Packet) => void): Promise<void> {
    try {
      await this.#bus.start(this.name, (text) => {
        if (this.#isClosed) return;
        const packet = this.#read(text);
        if (packet === undefined) return;
        try {
          receive(packet);
        } catch (error) {
          // Nothing that another node says may break this one.
          this.#ignored++;
          this.#report(error as Error);
        }
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A message as text. */
  write(message: PacketBody): string {
    return JSON.stringify({
      v: VERSION,
      from: this.name,
      incarnation: this.incarnation,
      ...message,
    });
  }

  /** Sends a message, to one node or all. */
  send(message: PacketBody, to?: string): void {
    this.publish(this.write(message), to);
  }

  /** Sends a text, to one node or all. */
  publish(text: string, to: string | undefined): void {
    if (this.#isClosed) return;
    try {
      const published = this.#bus.publish(text, to);
      if (published === undefined) this.#isBroken = false;
      else {
        published.then(
          () => this.#isBroken = false,
          (error) => this.#failed(error),
        );
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Notes something that was of no use. */
  ignore(): void {
    this.#ignored++;
  }

  /** Sends and receives nothing any more. */
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
    // Its own comes from a bus that echoes; another's, from a node of its name.
    const isUseless = packet === undefined ||
      (isOwn && packet.incarnation !== this.incarnation);
    if (isUseless) this.#ignored++;
    return isOwn ? undefined : packet;
  }

  #failed(cause: unknown): void {
    if (this.#isBroken || this.#isClosed) return;
    this.#isBroken = true;
    this.#report(busError(cause));
  }
}

function busError(cause: unknown): ClusterError {
  return new ClusterError(
    "The other nodes cannot be reached: the message bus failed.",
    { cause },
  );
}
