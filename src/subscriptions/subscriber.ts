import { FifoQueue } from "../runtime/fifo_queue.ts";
import { formatValue } from "../format_value.ts";
import { DeliveryError } from "../errors.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import type {
  SubscriptionCallbacks,
  SubscriptionCloseReason,
} from "../contracts/subscription_manager.ts";

/**
 * How long a subscriber may take, in milliseconds; see `SubscriptionOptions`.
 */
export interface SubscriptionQueueLimits {
  readonly closeTimeoutMs: number;
  readonly maxAgeMs: number;
}

/** A call of a callback, in the queue. */
interface Task {
  readonly run: () => void | Promise<void>;
  /** When it was enqueued, in milliseconds of `performance.now()`. */
  readonly since: number;
  /** The call is over, or will never be made. */
  settle: () => void;
}

type TimerId = ReturnType<typeof setTimeout>;

/**
 * A subscription and its queue: acknowledgement, notifications and close run
 * one after the other. A callback that doesn't return a promise is over at
 * once.
 */
export class SubscriptionQueue {
  readonly #subscription: { id: string | number; origin: string };
  readonly #callbacks: SubscriptionCallbacks;
  readonly #limits: SubscriptionQueueLimits;
  readonly #onEnd: () => void;
  readonly #report: (error: DeliveryError) => void;
  readonly #queue: FifoQueue<Task> = new FifoQueue();
  #running = false;
  #acknowledged = false;
  #refusal: { cause: unknown } | undefined;
  #closeCalled = false;
  #ended = false;
  #stalled: TimerId | undefined;
  #deadline: TimerId | undefined;
  #reason: SubscriptionCloseReason | undefined;
  #closed: Promise<void> | undefined;
  #settleClosed: () => void = () => {};

  /**
   * @param subscription Its ID and origin, for errors.
   * @param callbacks How to reach its stream.
   * @param limits How long it may take.
   * @param onEnd Called once, when its ID is free again.
   * @param report Reports what was not delivered.
   */
  constructor(
    subscription: { id: string | number; origin: string },
    callbacks: SubscriptionCallbacks,
    limits: SubscriptionQueueLimits,
    onEnd: () => void,
    report: (error: DeliveryError) => void,
  ) {
    this.#subscription = subscription;
    this.#callbacks = callbacks;
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#report = report;
  }

  /**
   * Acknowledges the subscription, then delivers what arrived meanwhile.
   * Rejects with the error of the acknowledgement.
   */
  async acknowledge(): Promise<void> {
    await this.#enqueue(() => this.#callbacks.acknowledge());
    if (this.#refusal !== undefined) throw this.#refusal.cause;
    await this.#enqueue(() => {});
  }

  /**
   * Delivers a notification after everything that was sent before.
   *
   * @returns Resolves when it is delivered, or never will be; `undefined` if
   * that is already the case.
   */
  send(notification: JSONRPCNotification): Promise<void> | undefined {
    if (this.#closed !== undefined) return undefined;
    return this.#enqueue(() => this.#callbacks.send(notification));
  }

  /**
   * Closes the subscription after everything that was sent before, or at the
   * deadline.
   */
  close(reason: SubscriptionCloseReason): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    // It failed while other subscriptions were being closed.
    if (this.#ended) return Promise.resolve();
    this.#reason = reason;
    this.#closed = new Promise((resolve) => this.#settleClosed = resolve);
    this.#deadline = setTimeout(() => {
      const { closeTimeoutMs } = this.#limits;
      void this.#callClose(reason);
      this.#end(`was closed before it settled, after ${closeTimeoutMs} ms`);
    }, this.#limits.closeTimeoutMs);
    void this.#enqueue(async () => {
      await this.#callClose(reason);
      this.#end();
    });
    return this.#closed;
  }

  #enqueue(run: Task["run"]): Promise<void> | undefined {
    if (this.#ended) return undefined;
    let finish = false;
    const task: Task = {
      run,
      since: performance.now(),
      settle: () => finish = true,
    };
    this.#queue.push(task);
    this.#drain();
    return finish ? undefined : new Promise((resolve) => task.settle = resolve);
  }

  #drain(): void {
    while (!this.#running && !this.#ended) {
      const task = this.#queue.peek();
      if (task === undefined) return;
      this.#running = true;
      let outcome: void | Promise<void>;
      try {
        outcome = task.run();
      } catch (cause) {
        this.#fail(cause);
        return;
      }
      if (typeof outcome?.then === "function") {
        this.#watch(task);
        Promise.resolve(outcome).then(() => {
          if (this.#ended) return;
          this.#advance();
          this.#drain();
        }, (cause) => this.#fail(cause));
        return;
      }
      this.#advance();
    }
  }

  /** Finishes the first task. */
  #advance(): void {
    clearTimeout(this.#stalled);
    this.#running = false;
    this.#acknowledged = true; // The first task is the acknowledgement.
    this.#queue.shift()?.settle();
  }

  /** Fails the subscriber when a task gets too old. */
  #watch(task: Task): void {
    if (this.#closed !== undefined) return; // The deadline of `close` applies.
    const { maxAgeMs } = this.#limits;
    const timer = setTimeout(
      () =>
        this.#fail(
          this.#error(`took longer than ${maxAgeMs} ms ("maxAgeMs")`),
        ),
      Math.max(0, task.since + maxAgeMs - performance.now()),
    );
    // A stalled subscriber must not keep the process alive. Not all timers have
    // `unref`.
    (timer as { unref?: () => void }).unref?.();
    this.#stalled = timer;
  }

  #fail(cause: unknown): void {
    if (this.#ended) return;
    const refused = !this.#acknowledged;
    if (refused) this.#refusal = { cause };
    this.#end(refused ? undefined : "failed and was removed", cause);
    // If a subscription is refused, its creator gets the error and ends the
    // stream, unless it was closed meanwhile.
    if (!refused || this.#reason !== undefined) {
      void this.#callClose(this.#reason ?? "cancelled");
    }
  }

  async #callClose(reason: SubscriptionCloseReason): Promise<void> {
    if (this.#closeCalled) return;
    this.#closeCalled = true;
    try {
      await this.#callbacks.close(reason);
    } catch (cause) {
      // It is being removed, so errors of its stream don't matter.
      this.#report(this.#error("failed to close", cause));
    }
  }

  /**
   * Settles all pending tasks.
   *
   * @param failure What happened, if it must be reported.
   * @param cause The error that was thrown.
   */
  #end(failure?: string, cause?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#stalled);
    clearTimeout(this.#deadline);
    const pending = this.#queue.last(this.#queue.size);
    this.#queue.clear();
    for (const { settle } of pending) settle();
    this.#onEnd();
    this.#settleClosed();
    if (failure !== undefined) this.#report(this.#error(failure, cause));
  }

  #error(what: string, cause?: unknown): DeliveryError {
    const { id, origin } = this.#subscription;
    return new DeliveryError(
      `Subscription ${formatValue(id)} of origin ${
        formatValue(origin)
      } ${what}.`,
      {
        subscription: this.#subscription,
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}
