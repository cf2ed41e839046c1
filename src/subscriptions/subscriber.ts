import { formatValue } from "../runtime/describe.ts";
import { DeliveryError } from "../errors.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import type {
  SubscriptionCallbacks,
  SubscriptionCloseReason,
} from "../contracts/subscription_manager.ts";

/** How long a subscriber may take, in milliseconds; see `SubscriptionOptions`. */
export interface SubscriptionQueueLimits {
  readonly closeTimeoutMs: number;
  readonly maxAgeMs: number;
}

/** One call of a callback that waits for its turn. */
interface Task {
  readonly run: () => void | Promise<void>;
  /** When it was asked for, in milliseconds of `performance.now()`. */
  readonly since: number;
  /** The call is over, or will never be made. */
  settle: () => void;
}

/** How many tasks that were run the queue may keep. */
const MAX_SPENT = 10_000;

type TimerId = ReturnType<typeof setTimeout>;

/**
 * One subscription and its queue: acknowledgement, notifications, close, one after
 * the other. A callback that answers without a promise is over at once.
 */
export class SubscriptionQueue {
  readonly #subscription: { id: string | number; origin: string };
  readonly #callbacks: SubscriptionCallbacks;
  readonly #limits: SubscriptionQueueLimits;
  readonly #onEnd: () => void;
  readonly #report: (error: DeliveryError) => void;
  #queue: Task[] = [];
  /** Where the queue begins; what is before has been run. */
  #head = 0;
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
   * @param subscription What it is called in errors.
   * @param callbacks How to reach its stream.
   * @param limits How long it may take.
   * @param onEnd Called once, when its id is free again.
   * @param report Told what it did not take.
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
   * Acknowledges, then delivers what arrived meanwhile. Rejects with the error of
   * the acknowledgement.
   */
  async acknowledge(): Promise<void> {
    await this.#enqueue(() => this.#callbacks.acknowledge());
    if (this.#refusal !== undefined) throw this.#refusal.cause;
    await this.#enqueue(() => {});
  }

  /**
   * Delivers a notification after all that was sent before.
   *
   * @returns What resolves once it is delivered, or never will be; `undefined`
   * when that is so already.
   */
  send(notification: JSONRPCNotification): Promise<void> | undefined {
    if (this.#closed !== undefined) return undefined;
    return this.#enqueue(() => this.#callbacks.send(notification));
  }

  /** Closes after all that was sent before, at the latest at the deadline. */
  close(reason: SubscriptionCloseReason): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    // It failed while the others were being closed.
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
    let over = false;
    const task: Task = {
      run,
      since: performance.now(),
      settle: () => over = true,
    };
    this.#queue.push(task);
    this.#drain();
    return over ? undefined : new Promise((resolve) => task.settle = resolve);
  }

  #drain(): void {
    while (!this.#running && !this.#ended) {
      const task = this.#queue[this.#head];
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

  /** The first task of the queue is over. */
  #advance(): void {
    clearTimeout(this.#stalled);
    this.#running = false;
    this.#acknowledged = true; // The first task is the acknowledgement.
    this.#queue[this.#head++]?.settle();
    // Taking the first off every time would move all the others every time.
    if (this.#head === this.#queue.length || this.#head === MAX_SPENT) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Gives the subscriber up when a task grows too old. */
  #watch(task: Task): void {
    if (this.#closed !== undefined) return; // The deadline of `close` is at work.
    const { maxAgeMs } = this.#limits;
    const timer = setTimeout(
      () =>
        this.#fail(
          this.#error(`took longer than ${maxAgeMs} ms ("maxAgeMs")`),
        ),
      Math.max(0, task.since + maxAgeMs - performance.now()),
    );
    // A stalled subscriber is no reason to keep the process running; some
    // runtimes' timers have no such switch.
    (timer as { unref?: () => void }).unref?.();
    this.#stalled = timer;
  }

  #fail(cause: unknown): void {
    if (this.#ended) return;
    const refused = !this.#acknowledged;
    if (refused) this.#refusal = { cause };
    this.#end(refused ? undefined : "failed and was removed", cause);
    // The stream of a refused subscription is its creator's to end, who gets the
    // error; unless somebody else asked for its end meanwhile.
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
      // It is being removed; how its stream takes that changes nothing.
      this.#report(this.#error("failed to close", cause));
    }
  }

  /**
   * Settles everything that waits.
   *
   * @param failure What happened, where that is to be reported.
   * @param cause What was thrown.
   */
  #end(failure?: string, cause?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#stalled);
    clearTimeout(this.#deadline);
    const pending = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
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
