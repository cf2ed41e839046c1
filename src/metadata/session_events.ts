import { Listeners } from "../runtime/callbacks.ts";
import type { SessionEndReason } from "../contracts/options.ts";
import { LruMap } from "../runtime/lru_map.ts";

/** How many sessions that `sessions.end` has ended are remembered. */
const MAX_ENDED = 10_000;

/** What is called when sessions begin and end. It must not throw. */
export interface SessionListener {
  readonly onBegin: (id: string, principal: string | undefined) => void;
  readonly onEnd: (id: string, reason: SessionEndReason) => void;
  /**
   * Called on every node with each session that `sessions.end` has ended on any
   * of them, perhaps more than once.
   */
  readonly onGone: (id: string) => void;
}

/** Called with how long a session has lasted, in milliseconds. */
export type DurationListener = (durationMs: number) => void;

/** How many sessions have begun, and have ended by the reason. */
export interface SessionCounts {
  readonly begun: number;
  readonly ended: Readonly<Record<SessionEndReason, number>>;
}

/**
 * Informs a listener of the sessions that began through the guard, and counts
 * them.
 */
export class SessionEvents {
  #begun = 0;
  readonly #ended: Record<SessionEndReason, number> = {
    deleted: 0,
    ended: 0,
    expired: 0,
  };
  #listener: SessionListener | undefined;
  readonly #durations = new Listeners<number>();
  /** The sessions that `sessions.end` has ended, the latest last. */
  readonly #gone: LruMap<string, true> = new LruMap(MAX_ENDED);

  /** How many sessions have begun and ended. */
  get counts(): SessionCounts {
    return { begun: this.#begun, ended: { ...this.#ended } };
  }

  /** Sets the listener. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /**
   * Adds a listener for how long sessions have lasted, which must not throw. It is
   * called when a session ends, if this process knows when it began. The result
   * removes the listener.
   */
  listenForDurations(listener: DurationListener): () => void {
    return this.#durations.add(listener);
  }

  /** Called when a session has begun. */
  begun(id: string, principal: string | undefined): void {
    this.#begun++;
    this.#gone.delete(id);
    this.#listener?.onBegin(id, principal);
  }

  /**
   * Called when a session has ended.
   *
   * @param durationMs How long it has lasted; undefined if that is unknown.
   */
  ended(
    id: string,
    reason: SessionEndReason,
    durationMs: number | undefined,
  ): void {
    this.#ended[reason]++;
    if (durationMs !== undefined) {
      // The clocks of two nodes may differ.
      this.#durations.notify(Math.max(0, durationMs));
    }
    this.#listener?.onEnd(id, reason);
  }

  /** Called when `sessions.end` has ended a session, on any node. */
  gone(id: string): void {
    this.#gone.set(id, true);
    this.#listener?.onGone(id);
  }

  /**
   * Returns whether `sessions.end` has ended a session a moment ago: a request
   * of it may still be under way.
   */
  isGone(id: string): boolean {
    return this.#gone.has(id);
  }
}
