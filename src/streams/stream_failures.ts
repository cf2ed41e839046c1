import { formatValue } from "../format_value.ts";
import { DeliveryError } from "../errors.ts";
import { sessionIdOf } from "../replay/request_key.ts";
import type { EvictionReason } from "../contracts/options.ts";

/** Callbacks for streams that failed. */
export interface StreamCallbacks {
  readonly onError: (error: Error) => void;
  readonly onEvict: (id: string, reason: EvictionReason) => void;
  /** Called with every session whose stream ended without being replaced. */
  readonly onDetach?: ((id: string) => void) | undefined;
}

/**
 * Collects the streams that failed during a write. They are reported after it
 * has reached all streams, because a callback may send or create in turn.
 */
export class StreamFailures {
  readonly #callbacks: StreamCallbacks;
  #reports: (() => void)[] | undefined;

  constructor(callbacks: StreamCallbacks) {
    this.#callbacks = callbacks;
  }

  /** Records a stream that threw. */
  failed(id: string, cause: unknown): void {
    const sessionId = sessionIdOf(id);
    const error = new DeliveryError(
      `The stream of session ${formatValue(sessionId)} failed and was removed.`,
      { cause, sessionId },
    );
    this.add(error);
  }

  /** Records an error that is about no single write. */
  add(error: DeliveryError): void {
    this.#report(() => this.#callbacks.onError(error));
  }

  /** Records a stream that was evicted. */
  evicted(id: string, reason: EvictionReason): void {
    this.#report(() => this.#callbacks.onEvict(sessionIdOf(id), reason));
  }

  /** Calls the callbacks. */
  report(): void {
    for (const report of this.#reports ?? []) report();
  }

  #report(report: () => void): void {
    (this.#reports ??= []).push(report);
  }
}
