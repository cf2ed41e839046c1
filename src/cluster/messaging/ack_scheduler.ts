import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { FlowControl } from "./flow_control.ts";
import type { ReorderBuffer } from "./reorder_buffer.ts";
import type { HeartbeatAck, PacketBody } from "./protocol.ts";

/** How far a node has received the batches of another, and its handshake ID. */
export interface ReceiveState {
  readonly reorderBuffer: ReorderBuffer;
  readonly handshakeId: number;
}

/**
 * How long to wait before a missing batch is requested again, in milliseconds.
 */
const NACK_RETRY_MS = 50;

/**
 * Sends acknowledgements, and requests for missing batches: at the end of the
 * turn if someone waits for them, otherwise with the next heartbeat or after a
 * delay.
 */
export class AckScheduler implements PeriodicTask {
  readonly periodMs: number;
  readonly #flowControl: FlowControl;
  readonly #scheduler: Scheduler;
  readonly #send: (message: PacketBody, to: string) => void;
  readonly #receiveState: (node: string) => ReceiveState | undefined;
  readonly #due: Set<string> = new Set();
  #isScheduled = false;

  /**
   * @param flowControl When to send them.
   * @param scheduler Runs the delayed ones.
   * @param send Sends a packet to a node.
   * @param receiveState Returns how far a node's batches were received.
   */
  constructor(
    flowControl: FlowControl,
    scheduler: Scheduler,
    send: (message: PacketBody, to: string) => void,
    receiveState: (node: string) => ReceiveState | undefined,
  ) {
    this.#flowControl = flowControl;
    this.periodMs = flowControl.ackDelayMs;
    this.#scheduler = scheduler;
    this.#send = send;
    this.#receiveState = receiveState;
  }

  /** Schedules an acknowledgement. */
  schedule(node: string): void {
    this.#due.add(node);
    this.#scheduler.start(this);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#acknowledge(false);
    });
  }

  run(): void {
    this.#acknowledge(true);
  }

  /**
   * Takes all acknowledgements that are due and request nothing, to be sent
   * with a heartbeat.
   */
  takeForHeartbeat(): Record<string, HeartbeatAck> | undefined {
    const now = this.#scheduler.now();
    let acks: Record<string, HeartbeatAck> | undefined;
    for (const node of this.#due) {
      const receiveState = this.#receiveState(node);
      if (receiveState === undefined || receiveState.reorderBuffer.hasGap) {
        continue;
      }
      const { reorderBuffer, handshakeId } = receiveState;
      reorderBuffer.acknowledged(now);
      this.#due.delete(node);
      acks ??= Object.create(null) as Record<string, HeartbeatAck>;
      acks[node] = [handshakeId, reorderBuffer.seq];
    }
    if (this.#due.size === 0) this.#scheduler.stop(this);
    return acks;
  }

  /** Cancels all acknowledgements. */
  close(): void {
    this.#due.clear();
    this.#scheduler.stop(this);
  }

  #acknowledge(isTime: boolean): void {
    const now = this.#scheduler.now();
    for (const node of this.#due) {
      const receiveState = this.#receiveState(node);
      if (receiveState === undefined) {
        this.#due.delete(node);
        continue;
      }
      const { reorderBuffer, handshakeId } = receiveState;
      const { hasGap, seq } = reorderBuffer;
      const isDue = reorderBuffer.isAckDue(
        this.#flowControl.window,
        now,
        NACK_RETRY_MS,
      );
      if (!isDue && (hasGap || !isTime)) continue;
      reorderBuffer.acknowledged(now);
      if (!hasGap) this.#due.delete(node);
      const nack = hasGap ? { isNack: true } : {};
      this.#send({ kind: "ack", handshakeId, seq, ...nack }, node);
    }
    if (this.#due.size === 0) this.#scheduler.stop(this);
  }
}
