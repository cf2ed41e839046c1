import type { Ticker, Watcher } from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { Flow } from "./flow_control.ts";
import type { Inbox } from "./reorder_buffer.ts";
import type { BeatAck, Message } from "./protocol.ts";

/** Where a node reads, and as what. */
export interface Reading {
  readonly inbox: Inbox;
  readonly attempt: number;
}

/** How long to wait for a batch that was asked for again, in milliseconds. */
const PATIENCE_MS = 50;

/**
 * Says what was read, and what is missing: at the end of the turn where somebody
 * waits for it, otherwise with what comes next.
 */
export class Acknowledgements implements Watcher {
  readonly periodMs: number;
  readonly #flow: Flow;
  readonly #ticker: Ticker;
  readonly #send: (message: Message, to: string) => void;
  readonly #reading: (node: string) => Reading | undefined;
  readonly #owing: Set<string> = new Set();
  #isScheduled = false;

  /**
   * @param flow When to say it.
   * @param ticker Runs what cannot wait forever.
   * @param send Sends a message to a node.
   * @param reading Where a node is read.
   */
  constructor(
    flow: Flow,
    ticker: Ticker,
    send: (message: Message, to: string) => void,
    reading: (node: string) => Reading | undefined,
  ) {
    this.#flow = flow;
    this.periodMs = flow.ackMs;
    this.#ticker = ticker;
    this.#send = send;
    this.#reading = reading;
  }

  /** A node is owed an acknowledgement. */
  owe(node: string): void {
    this.#owing.add(node);
    this.#ticker.start(this);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#acknowledge(false);
    });
  }

  tick(): void {
    this.#acknowledge(true);
  }

  /** All that is owed now and does not ask for more, to be said with a beat. */
  take(): Record<string, BeatAck> | undefined {
    const now = this.#ticker.now();
    let taken: Record<string, BeatAck> | undefined;
    for (const node of this.#owing) {
      const reading = this.#reading(node);
      if (reading === undefined || reading.inbox.isMissing) continue;
      const { inbox, attempt } = reading;
      inbox.acknowledged(now);
      this.#owing.delete(node);
      taken ??= Object.create(null) as Record<string, BeatAck>;
      taken[node] = [attempt, inbox.number];
    }
    if (this.#owing.size === 0) this.#ticker.stop(this);
    return taken;
  }

  /** Nobody is owed anything any more. */
  close(): void {
    this.#owing.clear();
    this.#ticker.stop(this);
  }

  #acknowledge(isTime: boolean): void {
    const now = this.#ticker.now();
    for (const node of this.#owing) {
      const reading = this.#reading(node);
      if (reading === undefined) {
        this.#owing.delete(node);
        continue;
      }
      const { inbox, attempt } = reading;
      const { isMissing, number } = inbox;
      const isDue = inbox.isDue(this.#flow.window, now, PATIENCE_MS);
      if (!isDue && (isMissing || !isTime)) continue;
      inbox.acknowledged(now);
      if (!isMissing) this.#owing.delete(node);
      const missing = isMissing ? { isMissing } : {};
      this.#send({ kind: "ack", attempt, number, ...missing }, node);
    }
    if (this.#owing.size === 0) this.#ticker.stop(this);
  }
}
