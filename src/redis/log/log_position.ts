import type { LogState } from "../redis_component.ts";

/** Which events of the log a node has delivered. */
export class LogPosition {
  /** The epoch of the log; `undefined` while it is unknown. */
  epoch: string | undefined;
  /** The newest broadcast that was delivered. */
  lastBroadcast = 0;
  /** The newest event for this node alone that was delivered. */
  lastDirect = 0;
  /** All events up to this one were delivered. */
  contiguousTo = 0;
  /** For sessions that resumed here: the newest event of their replay. */
  readonly #replayedUpTo: Map<string, number> = new Map();

  /** The newest event that was delivered. */
  get newest(): number {
    return Math.max(this.lastBroadcast, this.lastDirect);
  }

  /** The event after which the log must be read to find missing ones. */
  get readFrom(): number {
    return Math.max(
      Math.min(this.lastBroadcast, this.lastDirect),
      this.contiguousTo,
    );
  }

  /** Starts at the newest event: earlier ones are not for this node. */
  join({ epoch, lastEvent, lastBroadcast, lastDirect }: LogState): void {
    this.epoch = epoch;
    this.lastBroadcast = lastBroadcast;
    this.lastDirect = lastDirect;
    this.contiguousTo = lastEvent;
  }

  /** Continues at the beginning of a new log: all its events are for this node. */
  restart(epoch: string): void {
    this.epoch = epoch;
    this.lastBroadcast = this.lastDirect = this.contiguousTo = 0;
    this.#replayedUpTo.clear();
  }

  /** Returns the last event of a kind that was delivered. */
  lastOf(isBroadcast: boolean): number {
    return isBroadcast ? this.lastBroadcast : this.lastDirect;
  }

  /** Records an event. Returns whether it is a newer one. */
  advance(isBroadcast: boolean, offset: number): boolean {
    if (offset <= this.lastOf(isBroadcast)) return false;
    if (isBroadcast) this.lastBroadcast = offset;
    else this.lastDirect = offset;
    return true;
  }

  /** Records that all events up to one were delivered. */
  verify(offset: number): void {
    this.contiguousTo = offset;
    for (const [id, newest] of this.#replayedUpTo) {
      if (newest <= offset) this.#replayedUpTo.delete(id);
    }
  }

  /** Records up to which event a session has received everything. */
  replayed(id: string, newest: number): void {
    this.#replayedUpTo.set(id, newest);
  }

  /** Returns that event; 0 if it did not resume here. */
  replayedUpTo(id: string): number {
    return this.#replayedUpTo.get(id) ?? 0;
  }
}
