import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { FlowControl } from "./flow_control.ts";
import type { ReorderBuffer } from "./reorder_buffer.ts";
import type { HeartbeatAck, PacketBody } from "./protocol.ts";

/** Where a node reads, and as what. */
export interface ReceiveState {
  readonly reorderBuffer: ReorderBuffer;
  readonly handshakeId: number;
}

/** How long to wait for a batch that was asked for again, in milliseconds. */
const NACK_RETRY_MS = 50;

/**
 * Says what was read, and what is missing: at the end of the turn where somebody
 * waits for it, otherwise with what comes next.
 */
export class AckScheduler implements PeriodicTask {
  readonly periodMs: number;
  readonly #flowControl: FlowControl;
  readonly #ticker: Scheduler;
  readonly #send: (message: PacketBody, to: string) => void;
  readonly #receiveState: (node: string) => ReceiveState | undefined;
  readonly #due: Set<string> = new Set();
  #isScheduled = false;

  /**
   * @param flow When to say it.
   * @param ticker Runs what cannot wait forever.
   * @param send Sends a message to a node.
   * @param reading Where a node is read.
   */
  constructor(
    flow: FlowControl,
    ticker: Scheduler,
    send: (message: PacketBody, to: string) => void,
    reading: (node: string) => ReceiveState | undefined,
  ) {
    this.#flowControl = flow;
    this.periodMs = flow.ackDelayMs;
    this.#ticker = ticker;
    this.#send = send;
    this.#receiveState = reading;
  }

  /** A node is owed an acknowledgement. */
  schedule(node: string): void {
    this.#due.add(node);
    this.#ticker.start(this);
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

  /** All that is owed now and does not ask for more, to be said with a beat. */
  takeForHeartbeat(): Record<string, HeartbeatAck> | undefined {
    const now = this.#ticker.now();
    let taken: Record<string, HeartbeatAck> | undefined;
    for (const node of this.#due) {
      const reading = this.#receiveState(node);
      if (reading === undefined || reading.reorderBuffer.hasGap) continue;
      const { reorderBuffer, handshakeId } = reading;
      reorderBuffer.acknowledged(now);
      this.#due.delete(node);
      taken ??= Object.create(null) as Record<string, HeartbeatAck>;
      taken[node] = [handshakeId, reorderBuffer.seq];
    }
    if (this.#due.size === 0) this.#ticker.stop(this);
    return taken;
  }

  /** Nobody is owed anything any more. */
  close(): void {
    this.#due.clear();
    this.#ticker.stop(this);
  }

  #acknowledge(isTime: boolean): void {
    const now = this.#ticker.now();
    for (const node of this.#due) {
      const reading = this.#receiveState(node);
      if (reading === undefined) {
        this.#due.delete(node);
        continue;
      }
      const { reorderBuffer, handshakeId } = reading;
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
    if (this.#due.size === 0) this.#ticker.stop(this);
  }
}
