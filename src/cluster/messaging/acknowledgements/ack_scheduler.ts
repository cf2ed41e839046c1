import { atEndOfTurn } from "../../../runtime/end_of_turn.ts";
import type { PeriodicTask, Scheduler } from "../../../runtime/scheduler.ts";
import type { PacketBus } from "../packet_bus.ts";
import { windowFor } from "../message_bus.ts";
import type { HeartbeatAck } from "../protocol.ts";
import type { ReorderBuffer } from "../reorder_buffer.ts";

/** How long to wait before another nack for the same gap, in milliseconds. */
const NACK_RETRY_MS = 50;

/** The state of what this node receives from one other node. */
export interface ReceiveState {
  /** Identifies the handshake with which this node joined the other one. */
  readonly handshakeId: number;
  readonly reorderBuffer: ReorderBuffer;
}

/** How many idle peers a heartbeat acknowledges, about. */
const IDLE_ACKS_PER_HEARTBEAT = 16;

/**
 * Sends acknowledgements and nacks: at the end of the turn if they are urgent,
 * otherwise with a heartbeat, or after `ackDelayMs` if the sender expects that.
 */
export class AckScheduler implements PeriodicTask {
  readonly periodMs: number;
  readonly #packetBus: PacketBus;
  readonly #scheduler: Scheduler;
  readonly #states: ReadonlyMap<string, ReceiveState>;
  /** The nodes to acknowledge, and whether before the next heartbeat. */
  readonly #unacknowledgedNodes: Map<string, boolean> = new Map();
  #heartbeats = 0;
  #isUrgentCheckScheduled = false;

  /**
   * @param packetBus Sends the acknowledgements.
   * @param scheduler Runs the delayed acknowledgements.
   * @param states What was received, by sender.
   */
  constructor(
    packetBus: PacketBus,
    scheduler: Scheduler,
    states: ReadonlyMap<string, ReceiveState>,
  ) {
    this.periodMs = packetBus.flowControl.ackDelayMs;
    this.#packetBus = packetBus;
    this.#scheduler = scheduler;
    this.#states = states;
  }

  /**
   * Schedules an acknowledgement for a node.
   *
   * @param node The node.
   * @param isExpected Whether it expects it within `ackDelayMs`, not just with
   * a heartbeat.
   */
  schedule(node: string, isExpected: boolean): void {
    const wasExpected = this.#unacknowledgedNodes.get(node) ?? false;
    this.#unacknowledgedNodes.set(node, isExpected || wasExpected);
    if (isExpected) this.#scheduler.start(this);
    if (this.#isUrgentCheckScheduled) return;
    this.#isUrgentCheckScheduled = true;
    atEndOfTurn(() => {
      this.#isUrgentCheckScheduled = false;
      this.#sendAcks({ includeDelayed: false });
    });
  }

  run(): void {
    this.#sendAcks({ includeDelayed: true });
    this.#stopIfIdle();
  }

  /**
   * Takes all acknowledgements except nacks, to send them with a heartbeat.
   * Adds some for idle peers, in turns, so that a peer that has forgotten this
   * node says so.
   */
  takeForHeartbeat(): Record<string, HeartbeatAck> | undefined {
    const now = this.#scheduler.now();
    const { heartbeatsPerAck } = this.#packetBus.flowControl;
    const period = Math.max(
      heartbeatsPerAck,
      Math.ceil(this.#states.size / IDLE_ACKS_PER_HEARTBEAT),
    );
    let turn = this.#heartbeats++;
    let acks: Record<string, HeartbeatAck> | undefined;
    for (const [node, { reorderBuffer, handshakeId }] of this.#states) {
      const isTurn = turn++ % period === 0;
      if (!isTurn && !this.#unacknowledgedNodes.has(node)) continue;
      if (reorderBuffer.hasGap) continue;
      reorderBuffer.onAckSent(now);
      this.#unacknowledgedNodes.delete(node);
      acks ??= Object.create(null) as Record<string, HeartbeatAck>;
      acks[node] = [handshakeId, reorderBuffer.seq];
    }
    this.#stopIfIdle();
    return acks;
  }

  /** Cancels all acknowledgements. */
  close(): void {
    this.#unacknowledgedNodes.clear();
    this.#stopIfIdle();
  }

  #sendAcks({ includeDelayed }: { includeDelayed: boolean }): void {
    const now = this.#scheduler.now();
    const { flowControl } = this.#packetBus;
    const window = windowFor(flowControl, this.#states.size);
    for (const [node, isExpected] of this.#unacknowledgedNodes) {
      const state = this.#states.get(node);
      if (state === undefined) {
        this.#unacknowledgedNodes.delete(node);
        continue;
      }
      const { reorderBuffer, handshakeId } = state;
      const { hasGap, seq } = reorderBuffer;
      const isUrgent = reorderBuffer.isAckUrgent(window, now, NACK_RETRY_MS);
      // While there is a gap, only nacks are sent.
      const isDue = isExpected && includeDelayed && !hasGap;
      if (!isUrgent && !isDue) continue;
      reorderBuffer.onAckSent(now);
      if (!hasGap) this.#unacknowledgedNodes.delete(node);
      const nack = hasGap ? { isNack: true } : {};
      this.#packetBus.send({ kind: "ack", handshakeId, seq, ...nack }, node);
    }
  }

  #stopIfIdle(): void {
    for (const isExpected of this.#unacknowledgedNodes.values()) {
      if (isExpected) return;
    }
    this.#scheduler.stop(this);
  }
}
