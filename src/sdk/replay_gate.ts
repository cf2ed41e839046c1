import { nextTurn } from "../runtime/end_of_turn.ts";

/**
 * Keeps replays apart from what is stored meanwhile, so that the transport
 * writes each event once. The transport writes an event when it has been stored,
 * to the connection that it knows by then, unless that connection began with a
 * replay of this event.
 */
export class ReplayGate {
  /** Settles when the last replay is over; undefined if none is running. */
  #replaying: Promise<void> | undefined;
  readonly #storing: Set<Promise<unknown>> = new Set();

  /**
   * Stores an event. If a replay is running, its connection must be known
   * before the transport writes the event.
   */
  store<Id>(append: () => Promise<Id>): Promise<Id> {
    const storing = this.#store(append, this.#replaying);
    this.#storing.add(storing);
    const forget = () => void this.#storing.delete(storing);
    storing.then(forget, forget);
    return storing;
  }

  /**
   * Runs a replay. Events that were stored earlier must be written before its
   * connection is known: it may begin after them.
   */
  replay<Result>(run: () => Promise<Result>): Promise<Result> {
    const earlier = [this.#replaying, ...this.#storing];
    const replay = Promise.allSettled(earlier).then(run);
    // The transport knows the connection some microtasks after the result.
    const over = replay.then(nextTurn, nextTurn);
    this.#replaying = over;
    void over.then(() => {
      if (this.#replaying === over) this.#replaying = undefined;
    });
    return replay;
  }

  async #store<Id>(
    append: () => Promise<Id>,
    replaying: Promise<void> | undefined,
  ): Promise<Id> {
    const id = await append();
    await replaying;
    return id;
  }
}
