import { end, supersede } from "../../streams/controllers.ts";
import type { StreamExpectation } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { ArrivalStart } from "./delivery.ts";
import type { Audience } from "./event_log.ts";

interface Arrival {
  readonly controller: ReadableStreamDefaultController;
  readonly expected: StreamExpectation;
  /** Gives its place back. */
  readonly takeBack: () => void;
  /** What was sent to it meanwhile. */
  readonly collected: { readonly frame: string; readonly offset: number }[];
}

/** Streams of sessions from other nodes that wait for what their clients missed. */
export class Arrivals {
  readonly #engine: StreamEngine;
  readonly #arrivals: Map<string, Arrival> = new Map();

  /** @param engine What the streams go to. */
  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  /** How many wait. */
  get size(): number {
    return this.#arrivals.size;
  }

  /** Whether the stream of a session waits. */
  has(id: string): boolean {
    return this.#arrivals.has(id);
  }

  /**
   * Takes a stream in, in the place of one that waits already.
   *
   * @returns Attaches it, if it waits still.
   * @throws {SessionLimitError} When there is no place for it.
   */
  begin(
    id: string,
    controller: ReadableStreamDefaultController,
    expected: StreamExpectation,
  ): (start: ArrivalStart) => void {
    const older = this.#arrivals.get(id);
    const arrival: Arrival = {
      controller,
      collected: [],
      expected,
      takeBack: this.#engine.expect(id, { isPlace: true }),
    };
    this.#arrivals.set(id, arrival);
    older?.takeBack();
    if (older && older.controller !== controller) {
      supersede(older.controller, id);
    }
    return (start) => {
      if (this.#arrivals.get(id) === arrival) this.#finish(id, arrival, start);
    };
  }

  /** Keeps what is sent for those that wait for it. */
  collect(audience: Audience, frame: string, offset: number): void {
    if (this.#arrivals.size === 0) return;
    for (const id of audience ?? this.#arrivals.keys()) {
      this.#arrivals.get(id)?.collected.push({ frame, offset });
    }
  }

  /**
   * Ends the stream of a session that waits.
   *
   * @returns Whether there was one.
   */
  end(id: string): boolean {
    const arrival = this.#arrivals.get(id);
    if (arrival === undefined) return false;
    this.#arrivals.delete(id);
    arrival.takeBack();
    end(arrival.controller);
    return true;
  }

  /** Ends them all. */
  close(): void {
    for (const id of [...this.#arrivals.keys()]) this.end(id);
  }

  #finish(
    id: string,
    { controller, expected, takeBack, collected }: Arrival,
    { reset, missed: before }: ArrivalStart,
  ): void {
    const missed = before && {
      position: before.position,
      count: before.frames.length,
      frames: [
        ...before.frames,
        ...collected.filter(({ offset }) => offset > before.upTo)
          .map(({ frame }) => frame),
      ],
    };
    this.#arrivals.delete(id);
    takeBack();
    try {
      // It is the latest one, whatever is expected besides.
      this.#engine.expect(id, { ...expected, stays: false, reset, missed });
      this.#engine.create(id, controller);
    } catch (error) {
      end(controller);
      throw error;
    }
  }
}
