import { nextTurn } from "../../../runtime/end_of_turn.ts";
import { waitAtMost } from "../../../runtime/deadline.ts";
import { cut, type FragmentPosition } from "./fragment.ts";

/**
 * How many fragments are published in one turn of the event loop: what is sent
 * meanwhile waits for no more than these.
 */
const FRAGMENTS_PER_TURN = 4;
/** How long to wait for the bus to publish them, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/** A packet that is sent in fragments. */
export interface LongPacket {
  readonly text: string;
  /** The node that it is for; `undefined` for all. */
  readonly to: string | undefined;
  /** See `Fragment`. */
  readonly id: number;
  /** Where the next fragment begins, in characters. */
  start: number;
}

/** What a {@linkcode FragmentSender} needs. */
export interface FragmentSenderPort
  extends Pick<FragmentPosition, "from" | "incarnation"> {
  /** The longest message that the bus carries, in bytes of UTF-8. */
  readonly maxLength: () => number;
  /**
   * Publishes a fragment. Never throws or rejects.
   *
   * @returns If it takes time, a promise that resolves when it is published.
   */
  readonly publish: (
    fragment: string,
    packet: LongPacket,
  ) => void | Promise<void>;
}

/**
 * Sends packets that are longer than the bus can carry in fragments: a few in
 * each turn, and as fast as the bus accepts them, so that short packets pass in
 * between. Nodes take turns; the packets for each node are sent in order.
 */
export class FragmentSender {
  readonly #port: FragmentSenderPort;
  /** The packets by receiver, oldest first. */
  readonly #queues: Map<string | undefined, LongPacket[]> = new Map();
  #isRunning = false;

  constructor(port: FragmentSenderPort) {
    this.#port = port;
  }

  /** Sends a packet, unless it is being sent already. */
  send(text: string, to: string | undefined, id: number): void {
    // A node gets what is sent to all as well.
    for (const receiver of new Set([to, undefined])) {
      if (this.#queues.get(receiver)?.some((packet) => packet.id === id)) {
        return;
      }
    }
    const packet = { text, to, id, start: 0 };
    const queue = this.#queues.get(to);
    if (queue === undefined) this.#queues.set(to, [packet]);
    else queue.push(packet);
    if (!this.#isRunning) void this.#run();
  }

  /** Stops sending a packet: the bus refuses it. */
  cancel({ to, id }: LongPacket): void {
    const queue = this.#queues.get(to);
    const left = queue?.filter((packet) => packet.id !== id) ?? [];
    if (left.length > 0) this.#queues.set(to, left);
    else this.#queues.delete(to);
  }

  /** Drops all packets. */
  close(): void {
    this.#queues.clear();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queues.size > 0) {
      const published: Promise<void>[] = [];
      for (let count = 0; count < FRAGMENTS_PER_TURN; count++) {
        const [packet] = this.#queues.values().next().value ?? [];
        if (packet === undefined) break;
        const publishing = this.#sendNext(packet);
        if (publishing !== undefined) published.push(publishing);
      }
      if (published.length > 0) {
        await waitAtMost(Promise.all(published), MAX_WAIT_MS);
      }
      await nextTurn();
    }
    this.#isRunning = false;
  }

  /** Sends the next fragment; then it is another node's turn. */
  #sendNext(packet: LongPacket): void | Promise<void> {
    const { text, to } = packet;
    const { from, incarnation, maxLength } = this.#port;
    const position = { ...packet, from, incarnation };
    const { fragment, end } = cut(text, position, maxLength());
    packet.start = end;
    const queue = this.#queues.get(to)!;
    this.#queues.delete(to);
    if (end === text.length) queue.shift();
    if (queue.length > 0) this.#queues.set(to, queue);
    return this.#port.publish(fragment, packet);
  }
}
