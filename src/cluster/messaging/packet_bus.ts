import { ClusterError } from "../../errors.ts";
import { isFragment, readFragment } from "./fragments/fragment.ts";
import { FragmentSender } from "./fragments/fragment_sender.ts";
import { MAX_ASSEMBLED_LENGTH } from "./fragments/packet_assembler.ts";
import { utf8End } from "./fragments/utf8.ts";
import {
  type FlowControl,
  IN_PROCESS_FLOW,
  type MessageBus,
} from "./message_bus.ts";
import { type Packet, type PacketBody, VERSION } from "./protocol.ts";
import { readPacket } from "./read_packet.ts";

/** A batch that the bus refused to publish. */
export interface Refusal {
  /** The sequence number of the batch. */
  readonly seq: number;
  /** The error of the bus. */
  readonly cause: unknown;
  /** Whether the bus will never carry it. */
  readonly isFinal: boolean;
}

/**
 * The message bus as one node uses it: packets of any length instead of strings,
 * and no exceptions.
 */
export class PacketBus {
  /** The name of this node. */
  readonly name: string;
  readonly #bus: MessageBus;
  readonly #report: (error: Error) => void;
  /** Distinguishes this node from earlier ones of its name. */
  readonly incarnation: number = Date.now() * 1_000 +
    Math.floor(Math.random() * 1_000);
  readonly #fragments: FragmentSender;
  #onRefused: (refusal: Refusal) => void = () => {};
  #isBroken = false;
  #isClosed = false;
  #ignored = 0;
  #accepted = 0;
  #unnumbered = 0;

  /**
   * @param name The name of this node.
   * @param bus Carries the messages.
   * @param report Called once for each time that the bus fails.
   */
  constructor(name: string, bus: MessageBus, report: (error: Error) => void) {
    this.name = name;
    this.#bus = bus;
    this.#report = report;
    this.#fragments = new FragmentSender({
      from: name,
      incarnation: this.incarnation,
      maxLength: () => this.maxLength,
      publish: (fragment, packet) => {
        const { to, id } = packet;
        return this.#publish(
          fragment,
          to,
          id,
          () => this.#fragments.cancel(packet),
        );
      },
    });
  }

  /** The flow control of the bus. */
  get flowControl(): FlowControl {
    return this.#bus.flowControl ?? IN_PROCESS_FLOW;
  }

  /** Whether the bus is known to be down. */
  get isDown(): boolean {
    return this.#bus.isDown === true;
  }

  /** The longest message that the bus carries, in bytes of UTF-8. */
  get maxLength(): number {
    return this.#bus.maxLength ?? Infinity;
  }

  /** Whether the bus failed to publish the last packet that was no batch. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** How many messages the bus has accepted. */
  get accepted(): number {
    return this.#accepted;
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

  /**
   * Sets a callback for batches that the bus refuses. Whether the bus works is
   * up to other packets: it may just refuse this one.
   */
  onRefused(listener: (refusal: Refusal) => void): void {
    this.#onRefused = listener;
  }

  /** Sends a packet to one node or all. */
  send(packet: PacketBody, to?: string): void {
    this.publish(this.serialize(packet), to);
  }

  /**
   * Sends a serialized packet to one node or all, in fragments if it is too
   * long.
   *
   * @param text The packet.
   * @param to The node; `undefined` for all.
   * @param seq Its sequence number, if it is a batch.
   */
  publish(text: string, to: string | undefined, seq: number = 0): void {
    const { maxLength } = this.#bus;
    // A character of UTF-16 has at most three bytes in UTF-8.
    const mayBeLong = maxLength !== undefined && text.length * 3 > maxLength;
    if (mayBeLong && utf8End(text, 0, maxLength) < text.length) {
      this.#publishLong(text, to, seq);
    } else void this.#publish(text, to, seq);
  }

  /** Counts a message that was ignored. */
  ignore(): void {
    this.#ignored++;
  }

  /** Stops sending and receiving. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fragments.close();
    try {
      await this.#bus.close();
    } catch (cause) {
      this.#report(busError(cause));
    }
  }

  #publishLong(text: string, to: string | undefined, seq: number): void {
    if (text.length <= MAX_ASSEMBLED_LENGTH) {
      return this.#fragments.send(text, to, seq || --this.#unnumbered);
    }
    const cause = new RangeError(
      `The packet has ${text.length} characters. On a bus with a "maxLength", ` +
        `${MAX_ASSEMBLED_LENGTH} is the maximum.`,
    );
    this.#onRefused({ seq, cause, isFinal: true });
  }

  /**
   * Publishes a message.
   *
   * @param onFailure Called if the bus refuses it.
   * @returns If it takes time, a promise that resolves when it is published.
   */
  #publish(
    text: string,
    to: string | undefined,
    seq: number,
    onFailure?: () => void,
  ): void | Promise<void> {
    if (this.#isClosed) return;
    try {
      const published = this.#bus.publish(text, to);
      if (published === undefined) return this.#onAccepted();
      return published.then(
        () => this.#onAccepted(),
        (cause) => this.#onFailure(cause, seq, onFailure),
      );
    } catch (cause) {
      this.#onFailure(cause, seq, onFailure);
    }
  }

  #onAccepted(): void {
    this.#isBroken = false;
    this.#accepted++;
  }

  #onFailure(cause: unknown, seq = 0, onFailure?: () => void): void {
    if (this.#isClosed) return;
    onFailure?.();
    if (seq > 0) this.#onRefused({ seq, cause, isFinal: false });
    else if (!this.#isBroken) {
      this.#isBroken = true;
      this.#report(busError(cause));
    }
  }

  #read(text: unknown): Packet | undefined {
    const packet = typeof text === "string" && isFragment(text)
      ? readFragment(text)
      : readPacket(text);
    const isOwn = packet?.from === this.name;
    // A bus that echoes returns this node's own packets. A foreign incarnation
    // of the same name is another node.
    const isInvalid = packet === undefined ||
      (isOwn && packet.incarnation !== this.incarnation);
    if (isInvalid) this.#ignored++;
    return isOwn ? undefined : packet;
  }
}

function busError(cause: unknown): ClusterError {
  return new ClusterError(
    "The message bus failed, so other nodes are unreachable. See `cause`.",
    { cause },
  );
}
