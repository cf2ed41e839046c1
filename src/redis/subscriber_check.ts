import { silenceError, unsubscribedError } from "./connection/client_errors.ts";
import type { EchoCheck } from "./connection/echo_check.ts";
import type { Subscription } from "./connection/subscription.ts";

/** How long the first subscription may take, in milliseconds. */
const SUBSCRIBE_TIMEOUT_MS = 5_000;

/**
 * Replaces a subscriber connection that is dead although nobody has closed it,
 * and reports it once.
 */
export class SubscriberCheck {
  readonly #subscription: Subscription;
  readonly #echo: EchoCheck;
  readonly #report: (error: Error) => void;
  /** How long the server has answered without a subscription. */
  #waitedMs = 0;
  #wasReported = false;

  /**
   * @param subscription What this node has subscribed to.
   * @param echo Notices that this node receives nothing.
   * @param report Called with an error.
   */
  constructor(
    subscription: Subscription,
    echo: EchoCheck,
    report: (error: Error) => void,
  ) {
    this.#subscription = subscription;
    this.#echo = echo;
    this.#report = report;
  }

  /**
   * Called regularly until this node has subscribed.
   *
   * @param elapsedMs The time since the last call, in milliseconds.
   * @param isDown Whether the server is unavailable.
   */
  awaitSubscription(elapsedMs: number, isDown: boolean): void {
    this.#waitedMs = isDown ? 0 : this.#waitedMs + elapsedMs;
    if (this.#waitedMs < SUBSCRIBE_TIMEOUT_MS) return;
    this.#waitedMs = 0;
    this.#subscription.replace();
    if (this.#wasReported) return;
    this.#wasReported = true;
    this.#report(unsubscribedError(this.#subscription.isReplaceable));
  }

  /** Called when this node has subscribed, and receives nothing. */
  onSilent(): void {
    const now = performance.now();
    // Its server may have been killed. Some clients do not tell, and reconnect.
    if (this.#subscription.isQuiet && !this.#echo.isOverdue(now)) return;
    this.#subscription.replace();
    // An outage of both connections is reported once.
    if (this.#echo.isAfterOutage) {
      return void (this.#echo.isAfterOutage = false);
    }
    if (this.#echo.wasReported) return;
    this.#echo.wasReported = true;
    this.#report(silenceError(this.#subscription.isReplaceable));
  }
}
