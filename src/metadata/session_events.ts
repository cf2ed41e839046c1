import type { SessionEndReason } from "../contracts/options.ts";
import { touch } from "../runtime/lru_map.ts";

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

/** Informs a listener of the sessions that began through the guard. */
export class SessionEvents {
  #listener: SessionListener | undefined;
  /** The sessions that `sessions.end` has ended, the latest last. */
  readonly #gone: Map<string, true> = new Map();

  /** Sets the listener. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /** Called when a session has begun. */
  begun(id: string, principal: string | undefined): void {
    this.#gone.delete(id);
    this.#listener?.onBegin(id, principal);
  }

  /** Called when a session has ended. */
  ended(id: string, reason: SessionEndReason): void {
    this.#listener?.onEnd(id, reason);
  }

  /** Called when `sessions.end` has ended a session, on any node. */
  gone(id: string): void {
    touch(this.#gone, id, true, MAX_ENDED);
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
