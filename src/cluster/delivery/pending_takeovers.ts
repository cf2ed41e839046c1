import {
  closeController,
  replaceController,
} from "../../streams/controllers.ts";
import type { PendingStream } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { ResumeResult } from "./delivery.ts";
import { isBroadcast, type SendTarget } from "../../replay/recipients.ts";

interface PendingTakeover {
  readonly controller: ReadableStreamDefaultController;
  readonly intent: PendingStream;
  /** Releases its slot. */
  readonly release: () => void;
  /** What was sent to it meanwhile. */
  readonly buffered: { readonly frame: string; readonly offset: number }[];
}

/** Streams that wait for the events that their clients missed elsewhere. */
export class PendingTakeovers {
  readonly #engine: StreamEngine;
  readonly #pending: Map<string, PendingTakeover> = new Map();

  /** @param engine Where the streams are attached afterwards. */
  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  /** How many streams wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Returns whether the stream of a session waits. */
  has(id: string): boolean {
    return this.#pending.has(id);
  }

  /**
   * Adds a stream, replacing one of the same session.
   *
   * @returns Attaches it, unless it was replaced or ended meanwhile.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  start(
    id: string,
    controller: ReadableStreamDefaultController,
    intent: PendingStream,
  ): (result: ResumeResult) => void {
    const replaced = this.#pending.get(id);
    const takeover: PendingTakeover = {
      controller,
      buffered: [],
      intent,
      release: this.#engine.prepareStream(id, { isPlaceholder: true }),
    };
    this.#pending.set(id, takeover);
    replaced?.release();
    if (replaced && replaced.controller !== controller) {
      replaceController(replaced.controller, id);
    }
    return (result) => {
      if (this.#pending.get(id) === takeover) {
        this.#finish(id, takeover, result);
      }
    };
  }

  /** Buffers a frame for the streams that wait. */
  buffer(target: SendTarget, frame: string, offset: number): void {
    if (this.#pending.size === 0) return;
    if (!isBroadcast(target)) {
      for (const id of target) {
        this.#pending.get(id)?.buffered.push({ frame, offset });
      }
      return;
    }
    for (const { intent, buffered } of this.#pending.values()) {
      if (target === undefined || target.transport === intent.transport) {
        buffered.push({ frame, offset });
      }
    }
  }

  /**
   * Ends the waiting stream of a session.
   *
   * @returns Whether there was one.
   */
  end(id: string): boolean {
    const takeover = this.#pending.get(id);
    if (takeover === undefined) return false;
    this.#pending.delete(id);
    takeover.release();
    closeController(takeover.controller);
    return true;
  }

  /** Ends all of them. */
  close(): void {
    for (const id of [...this.#pending.keys()]) this.end(id);
  }

  #finish(
    id: string,
    { controller, intent, release, buffered }: PendingTakeover,
    { reset, missed: stored }: ResumeResult,
  ): void {
    const missed = stored && {
      position: stored.latestEventId,
      count: stored.frames.length,
      frames: [
        ...stored.frames,
        ...buffered.filter(({ offset }) => offset > stored.upTo)
          .map(({ frame }) => frame),
      ],
    };
    this.#pending.delete(id);
    release();
    try {
      // It is the latest stream, whatever other intents there are.
      this.#engine.prepareStream(id, {
        ...intent,
        persistent: false,
        reset,
        missed,
      });
      this.#engine.create(id, controller, intent.transport);
    } catch (error) {
      closeController(controller);
      throw error;
    }
  }
}
