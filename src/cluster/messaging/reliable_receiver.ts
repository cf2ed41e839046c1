import type { Scheduler } from "../../runtime/scheduler.ts";
import {
  AckScheduler,
  type ReceiveState,
} from "./acknowledgements/ack_scheduler.ts";
import { PacketAssembler } from "./fragments/packet_assembler.ts";
import type { PacketBus } from "./packet_bus.ts";
import {
  type AddressedMessage,
  type Batch,
  expectsAck,
  type Fragment,
  type Heartbeat,
  type HeartbeatAck,
  type Packet,
  seqFor,
} from "./protocol.ts";
import { readPacket } from "./read_packet.ts";
import { ReorderBuffer } from "./reorder_buffer.ts";

/**
 * Receives the batches of other nodes: delivers each message once and in order,
 * acknowledges batches, and requests the retransmission of missing ones.
 */
export class ReliableReceiver {
  readonly #packetBus: PacketBus;
  readonly #onMessage: (from: string, message: AddressedMessage) => void;
  readonly #states: Map<string, ReceiveState> = new Map();
  readonly #acks: AckScheduler;
  readonly #assembler = new PacketAssembler();
  readonly #scheduler: Scheduler;
  #received = 0;

  /**
   * @param packetBus Sends the acknowledgements.
   * @param scheduler Runs the delayed acknowledgements.
   * @param onMessage Called with each message.
   */
  constructor(
    packetBus: PacketBus,
    scheduler: Scheduler,
    onMessage: (from: string, message: AddressedMessage) => void,
  ) {
    this.#packetBus = packetBus;
    this.#scheduler = scheduler;
    this.#onMessage = onMessage;
    this.#acks = new AckScheduler(packetBus, scheduler, this.#states);
  }

  /** The number of batches that were received, including duplicates. */
  get received(): number {
    return this.#received;
  }

  /** Returns whether batches of a node are received. */
  hasSender(node: string): boolean {
    return this.#states.has(node);
  }

  /**
   * Starts to receive the batches of a node.
   *
   * @param node The sender.
   * @param handshakeId Identifies the handshake in acknowledgements.
   * @param afterSeq The sequence number after which batches are for this node.
   */
  addSender(node: string, handshakeId: number, afterSeq: number): void {
    const reorderBuffer = new ReorderBuffer(this.#packetBus.name, afterSeq);
    this.#states.set(node, { handshakeId, reorderBuffer });
  }

  /** Stops receiving the batches of a node. */
  removeSender(node: string): void {
    this.#states.delete(node);
    this.#assembler.forget(node);
  }

  /** Handles a fragment. Returns the packet if it is complete now. */
  onFragment(
    from: string,
    fragment: Fragment & Packet,
  ): Packet | undefined {
    const { id: seq, incarnation } = fragment;
    const { reorderBuffer } = this.#states.get(from) ?? {};
    if (reorderBuffer === undefined) return undefined;
    if (seq > 0) {
      this.#acks.schedule(from, true);
      if (!reorderBuffer.isMissing(seq)) {
        reorderBuffer.onDuplicate();
        return undefined;
      }
      reorderBuffer.onFragment(seq, this.#scheduler.now());
    }
    const text = this.#assembler.add(from, fragment);
    if (text === undefined) return undefined;
    const packet = readPacket(text);
    const isValid = packet?.from === from && packet.incarnation === incarnation;
    if (!isValid) this.#packetBus.ignore();
    return isValid ? packet : undefined;
  }

  /** Handles a batch. Ignores it if its sender was not added. */
  onBatch(from: string, batch: Batch): void {
    const state = this.#states.get(from);
    if (state === undefined) return;
    this.#received++;
    const { reorderBuffer } = state;
    const isDuplicate = batch.seq <= reorderBuffer.seq;
    for (const message of reorderBuffer.receive(batch)) {
      this.#onMessage(from, message);
    }
    this.#assembler.dropUpTo(from, reorderBuffer.seq);
    const isExpected = isDuplicate || reorderBuffer.hasGap ||
      expectsAck(batch, this.#packetBus.name);
    this.#acks.schedule(from, isExpected);
  }

  /**
   * Handles the sequence number of a heartbeat.
   *
   * @returns Whether everything that the sender sent before was received.
   */
  onHeartbeat(from: string, { lastSeq, isProbe }: Heartbeat): boolean {
    const state = this.#states.get(from);
    if (state === undefined) return false;
    const { reorderBuffer } = state;
    const seq = seqFor(this.#packetBus.name, lastSeq);
    reorderBuffer.observe(seq);
    if (isProbe) reorderBuffer.requestAck();
    if (isProbe || reorderBuffer.hasGap) this.#acks.schedule(from, true);
    return reorderBuffer.seq === seq;
  }

  /** Takes the acknowledgements that a heartbeat carries, by node. */
  takeAcks(): Record<string, HeartbeatAck> | undefined {
    return this.#acks.takeForHeartbeat();
  }

  /** Stops receiving, and cancels all acknowledgements. */
  close(): void {
    this.#states.clear();
    this.#assembler.close();
    this.#acks.close();
  }
}
