import { touch } from "../../../runtime/lru_map.ts";
import type { Fragment } from "../protocol.ts";

/**
 * The maximum length of all incomplete packets together, in characters. Longer
 * packets are not sent in fragments.
 */
export const MAX_ASSEMBLED_LENGTH = 67_108_864;
/** How many packets of one sender may be incomplete. */
const MAX_PACKETS = 64;

/** The fragments of a packet that have arrived. */
interface IncompletePacket {
  /** The length of the packet, in characters. */
  readonly length: number;
  /** The fragments, by where they begin. */
  readonly parts: Map<number, string>;
  /** The length of the fragments, in characters. */
  received: number;
}

/**
 * Joins the fragments of packets, in whatever order and however often they
 * arrive. Fragments are kept when a packet is sent again, so that each attempt
 * completes it further. If there are too many, the packet that has waited
 * longest for its next fragment is dropped; it is sent again later.
 */
export class PacketAssembler {
  /** By sender and ID, the one with the newest fragment last. */
  readonly #packets: Map<string, Map<number, IncompletePacket>> = new Map();
  #length = 0;

  /** The length of all fragments, in characters. */
  get length(): number {
    return this.#length;
  }

  /** Adds a fragment. Returns the packet if it is complete now. */
  add(from: string, fragment: Fragment): string | undefined {
    const { id, start, length, text } = fragment;
    if (length > MAX_ASSEMBLED_LENGTH) return undefined;
    const packets = this.#packets.get(from) ?? new Map();
    touch(this.#packets, from, packets);
    // Only the newest of the packets that are not batches matters.
    if (id < 0) this.#dropOf(packets, (other) => other < 0 && other !== id);
    let packet = packets.get(id);
    if (packet === undefined || packet.length !== length) {
      this.#dropOf(packets, (other) => other === id);
      packet = { length, parts: new Map(), received: 0 };
    }
    touch(packets, id, packet);
    const { parts } = packet;
    const change = text.length - (parts.get(start)?.length ?? 0);
    parts.set(start, text);
    packet.received += change;
    this.#length += change;
    if (packets.size > MAX_PACKETS) this.#dropOldest(packets);
    while (this.#length > MAX_ASSEMBLED_LENGTH) this.#dropOldestOfAll();
    if (packet.received < length) return undefined;
    this.#dropOf(packets, (other) => other === id);
    if (packets.size === 0) this.#packets.delete(from);
    const whole = join(parts);
    // Otherwise the limit of the bus changed between two attempts, so that
    // fragments overlap.
    return whole?.length === length ? whole : undefined;
  }

  /** Drops the incomplete batches of a sender up to a sequence number. */
  dropUpTo(from: string, seq: number): void {
    const packets = this.#packets.get(from);
    if (packets === undefined) return;
    this.#dropOf(packets, (id) => id > 0 && id <= seq);
    if (packets.size === 0) this.#packets.delete(from);
  }

  /** Drops all fragments of a sender. */
  forget(from: string): void {
    this.#dropOf(this.#packets.get(from) ?? new Map(), () => true);
    this.#packets.delete(from);
  }

  /** Drops all fragments. */
  close(): void {
    this.#packets.clear();
    this.#length = 0;
  }

  #dropOf(
    packets: Map<number, IncompletePacket>,
    isDropped: (id: number) => boolean,
  ): void {
    for (const [id, { received }] of packets) {
      if (!isDropped(id)) continue;
      packets.delete(id);
      this.#length -= received;
    }
  }

  #dropOldest(packets: Map<number, IncompletePacket>): void {
    const [oldest] = packets.keys();
    this.#dropOf(packets, (id) => id === oldest);
  }

  #dropOldestOfAll(): void {
    const [from, packets] = this.#packets.entries().next().value!;
    this.#dropOldest(packets);
    if (packets.size === 0) this.#packets.delete(from);
  }
}

/** Joins fragments; `undefined` if there is a gap between them. */
function join(parts: ReadonlyMap<number, string>): string | undefined {
  let joined = "";
  for (const [start, part] of [...parts].sort(([a], [b]) => a - b)) {
    if (start !== joined.length) return undefined;
    joined += part;
  }
  return joined;
}
