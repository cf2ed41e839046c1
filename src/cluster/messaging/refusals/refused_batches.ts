import { utf8Length } from "../fragments/utf8.ts";
import type { PacketBus, Refusal } from "../packet_bus.ts";
import type { RetransmitBuffer } from "../retransmit_buffer.ts";
import { withoutLongest } from "./lost_messages.ts";

/**
 * How often the bus must refuse a batch, while it carries other packets, until
 * the batch is given up.
 */
const MAX_REFUSALS = 8;
/** How many batches are published again at once. */
const MAX_RETRIES = 16;

/** What {@linkcode RefusedBatches} need. */
export interface RefusedBatchesPort {
  readonly packetBus: PacketBus;
  /** The batches. */
  readonly buffer: RetransmitBuffer;
  /** Publishes a batch that is in the buffer. */
  readonly publish: (seq: number) => void;
  /** Sends a short packet, to see whether the bus works. */
  readonly probe: (seq: number) => void;
  /**
   * Called when a batch was given up.
   *
   * @param seq Its sequence number.
   * @param bytes Its length in UTF-8.
   * @param cause The error of the bus.
   */
  readonly onGivenUp: (seq: number, bytes: number, cause: unknown) => void;
}

interface RefusedBatch {
  refusals: number;
  /** How many messages the bus had accepted at the last refusal. */
  accepted: number;
  /** Whether it has not been published again since. */
  isWaiting: boolean;
}

/**
 * Batches that the bus has refused. While it refuses everything, they wait. A
 * batch that is refused again and again while other packets get through is given
 * up: short notices take the place of its longest messages, so that nothing waits
 * behind them, and the receivers know what they miss.
 */
export class RefusedBatches {
  readonly #port: RefusedBatchesPort;
  readonly #refused: Map<number, RefusedBatch> = new Map();

  constructor(port: RefusedBatchesPort) {
    this.#port = port;
    port.packetBus.onRefused((refusal) => this.#add(refusal));
  }

  /** Publishes the batches again if the bus accepts other packets. */
  retry(): void {
    const { packetBus, buffer, publish } = this.#port;
    let retries = 0;
    for (const [seq, batch] of this.#refused) {
      if (!buffer.has(seq)) this.#refused.delete(seq);
      else if (batch.isWaiting && packetBus.accepted > batch.accepted) {
        if (++retries > MAX_RETRIES) return;
        batch.isWaiting = false;
        publish(seq);
      }
    }
  }

  /** Forgets all batches. */
  close(): void {
    this.#refused.clear();
  }

  #add({ seq, cause, isFinal }: Refusal): void {
    const { packetBus: { accepted, isBroken }, buffer, probe } = this.#port;
    if (!buffer.has(seq)) return;
    let batch = this.#refused.get(seq);
    if (batch === undefined) {
      batch = { refusals: 0, accepted: -1, isWaiting: true };
      this.#refused.set(seq, batch);
    }
    if (batch.accepted < accepted) batch.refusals++;
    batch.accepted = accepted;
    batch.isWaiting = true;
    if (isFinal || batch.refusals >= MAX_REFUSALS) this.#giveUp(seq, cause);
    else if (!isBroken) probe(seq);
  }

  #giveUp(seq: number, cause: unknown): void {
    this.#refused.delete(seq);
    const { buffer, publish, onGivenUp } = this.#port;
    const text = buffer.get(seq);
    const shortened = withoutLongest(text);
    // The notice is requested again until it gets through.
    if (shortened === undefined) return;
    const isFirst = !buffer.isReplaced(seq);
    buffer.replace(seq, shortened);
    if (isFirst) onGivenUp(seq, utf8Length(text), cause);
    publish(seq);
  }
}
