import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";
import type { PacketBus } from "./packet_bus.ts";
import type { HeartbeatAck } from "./protocol.ts";
import type { ReorderBuffer } from "./reorder_buffer.ts";

/** How long to wait before another nack for the same gap, in milliseconds. */
const NACK_RETRY_MS = 50;

/** The state of what this node receives from one other node. */
export interface ReceiveState {
  /** Identifies the handshake with which this node joined the other one. */
  readonly handshakeId: number;
  readonly reorderBuffer: ReorderBuffer;
  /** How many heartbeats of the node were received. */
  heartbeats: number;
}

/**
 * Sends acknowledgements and nacks: at the end of the turn if they are urgent,
 * otherwise after `ackDelayMs` or with a heartbeat.
 */
export class AckScheduler implements PeriodicTask {
  readonly periodMs: number;
  readonly #packetBus: PacketBus;
  readonly #scheduler: Scheduler;
  readonly #states: ReadonlyMap<string, ReceiveState>;
  readonly #unacknowledgedNodes: Set<string> = new Set();
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

  /** Schedules an acknowledgement for a node. */
  schedule(node: string): void {
    this.#unacknowledgedNodes.add(node);
    this.#scheduler.start(this);
    if (this.#isUrgentCheckScheduled) return;
    this.#isUrgentCheckScheduled = true;
    atEndOfTurn(() => {
      this.#isUrgentCheckScheduled = false;
      this.#sendAcks({ includeDelayed: false });
    });
  }

  run(): void {
    this.#sendAcks({ includeDelayed: true });
  }

  /** Takes all acknowledgements except nacks, to send them with a heartbeat. */
  takeForHeartbeat(): Record<string, HeartbeatAck> | undefined {
    const now = this.#scheduler.now();
    let acks: Record<string, HeartbeatAck> | undefined;
    for (const node of this.#unacknowledgedNodes) {
      const state = this.#states.get(node);
      if (state === undefined || state.reorderBuffer.hasGap) continue;
      const { reorderBuffer, handshakeId } = state;
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
    const { window } = this.#packetBus.flowControl;
    for (const node of this.#unacknowledgedNodes) {
      const state = this.#states.get(node);
      if (state === undefined) {
        this.#unacknowledgedNodes.delete(node);
        continue;
      }
      const { reorderBuffer, handshakeId } = state;
      const { hasGap, seq } = reorderBuffer;
      const isUrgent = reorderBuffer.isAckUrgent(window, now, NACK_RETRY_MS);
      // While there is a gap, only nacks are sent.
      if (!isUrgent && (hasGap || !includeDelayed)) continue;
      reorderBuffer.onAckSent(now);
      if (!hasGap) this.#unacknowledgedNodes.delete(node);
      const nack = hasGap ? { isNack: true } : {};
      this.#packetBus.send({ kind: "ack", handshakeId, seq, ...nack }, node);
    }
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#unacknowledgedNodes.size === 0) this.#scheduler.stop(this);
  }
}
