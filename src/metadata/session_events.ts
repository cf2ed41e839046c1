import type { SessionEndReason } from "../contracts/options.ts";

/** What is called when sessions begin and end. It must not throw. */
export interface SessionListener {
  readonly onBegin: (id: string, principal: string | undefined) => void;
  readonly onEnd: (id: string, reason: SessionEndReason) => void;
}

/** Informs a listener of the sessions that began through the guard. */
export class SessionEvents {
  #listener: SessionListener | undefined;

  /** Sets the listener. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /** Called when a session has begun. */
  begun(id: string, principal: string | undefined): void {
    this.#listener?.onBegin(id, principal);
  }

  /** Called when a session has ended. */
  ended(id: string, reason: SessionEndReason): void {
    this.#listener?.onEnd(id, reason);
  }
}
