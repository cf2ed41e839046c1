import { formatValue } from "../runtime/describe.ts";
import { DeliveryError } from "../errors.ts";
import type { EvictionReason } from "../contracts/options.ts";

/** Whom to tell of the streams that were lost. */
export interface StreamCallbacks {
  readonly onError: (error: Error) => void;
  readonly onEvict: (id: string, reason: EvictionReason) => void;
  /** Told of every session whose stream ended, and has no newer one. */
  readonly onDetach?: ((id: string) => void) | undefined;
}

/**
 * The streams that were lost while a text was on its way. They are told of after
 * it has reached everyone: who is told may send and create in turn.
 */
export class StreamFailures {
  readonly #listeners: StreamCallbacks;
  readonly #reports: (() => void)[] = [];

  constructor(listeners: StreamCallbacks) {
    this.#listeners = listeners;
  }

  /** A stream that took no more data. */
  failed(id: string, cause: unknown): void {
    const error = new DeliveryError(
      `The stream of session ${
        formatValue(id)
      } takes no more data and was removed.`,
      { cause, sessionId: id },
    );
    this.#reports.push(() => this.#listeners.onError(error));
  }

  /** A stream that was broken off. */
  evicted(id: string, reason: EvictionReason): void {
    this.#reports.push(() => this.#listeners.onEvict(id, reason));
  }

  /** Tells of them. */
  report(): void {
    for (const report of this.#reports) report();
  }
}
