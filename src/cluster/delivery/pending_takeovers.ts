import {
  closeController,
  replaceController,
} from "../../streams/controllers.ts";
import type { StreamIntent } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { ResumeResult } from "./delivery.ts";
import type { SessionIds } from "./event_log.ts";

interface PendingTakeover {
  readonly controller: ReadableStreamDefaultController;
  readonly intent: StreamIntent;
  /** Gives its place back. */
  readonly release: () => void;
  /** What was sent to it meanwhile. */
  readonly buffered: { readonly frame: string; readonly offset: number }[];
}

/** Streams of sessions from other nodes that wait for what their clients missed. */
export class PendingTakeovers {
  readonly #engine: StreamEngine;
  readonly #pending: Map<string, PendingTakeover> = new Map();

  /** @param engine What the streams go to. */
  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether the stream of a session waits. */
  has(id: string): boolean {
    return this.#pending.has(id);
  }

  /**
   * Takes a stream in, in the place of one that waits already.
   *
   * @returns Attaches it, if it waits still.
   * @throws {SessionLimitError} When there is no place for it.
   */
  start(
    id: string,
    controller: ReadableStreamDefaultController,
    expected: StreamIntent,
  ): (start: ResumeResult) => void {
    const older = this.#pending.get(id);
    const arrival: PendingTakeover = {
      controller,
      buffered: [],
      intent: expected,
      release: this.#engine.prepareStream(id, { isPlaceholder: true }),
    };
    this.#pending.set(id, arrival);
    older?.release();
    if (older && older.controller !== controller) {
      replaceController(older.controller, id);
    }
    return (start) => {
      if (this.#pending.get(id) === arrival) this.#finish(id, arrival, start);
    };
  }

  /** Keeps what is sent for those that wait for it. */
  buffer(audience: SessionIds, frame: string, offset: number): void {
    if (this.#pending.size === 0) return;
    for (const id of audience ?? this.#pending.keys()) {
      this.#pending.get(id)?.buffered.push({ frame, offset });
    }
  }

  /**
   * Ends the stream of a session that waits.
   *
   * @returns Whether there was one.
   */
  end(id: string): boolean {
    const arrival = this.#pending.get(id);
    if (arrival === undefined) return false;
    this.#pending.delete(id);
    arrival.release();
    closeController(arrival.controller);
    return true;
  }

  /** Ends them all. */
  close(): void {
    for (const id of [...this.#pending.keys()]) this.end(id);
  }

  #finish(
    id: string,
    { controller, intent, release, buffered }: PendingTakeover,
    { reset, missed: before }: ResumeResult,
  ): void {
    const missed = before && {
      position: before.latestEventId,
      count: before.frames.length,
      frames: [
        ...before.frames,
        ...buffered.filter(({ offset }) => offset > before.upTo)
          .map(({ frame }) => frame),
      ],
    };
    this.#pending.delete(id);
    release();
    try {
      // It is the latest one, whatever is expected besides.
      this.#engine.prepareStream(id, {
        ...intent,
        persistent: false,
        reset,
        missed,
      });
      this.#engine.create(id, controller);
    } catch (error) {
      closeController(controller);
      throw error;
    }
  }
}
