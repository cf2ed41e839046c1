import { DeliveryError } from "../errors.ts";
import type { JSONRPCNotification } from "../mcp_types.ts";
import type {
  SubscriptionCallbacks,
  SubscriptionCloseReason,
} from "../subscription_manager.ts";

/** How long a subscriber may take, in milliseconds; see `SubscriptionOptions`. */
export interface SubscriberLimits {
  readonly deadlineMs: number;
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

type TimerId = ReturnType<typeof setTimeout>;

/**
 * One subscription and its queue: acknowledgement, notifications, close, one after
 * the other. A callback that answers without a promise is over at once.
 */
export class Subscriber {
  readonly #name: string;
  readonly #callbacks: SubscriptionCallbacks;
  readonly #limits: SubscriberLimits;
  readonly #onEnd: (failure?: DeliveryError) => void;
  #queue: Task[] = [];
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
   * @param name What it is called in errors.
   * @param callbacks How to reach its stream.
   * @param limits How long it may take.
   * @param onEnd Called once, when its id is free again.
   */
  constructor(
    name: string,
    callbacks: SubscriptionCallbacks,
    limits: SubscriberLimits,
    onEnd: (failure?: DeliveryError) => void,
  ) {
    this.#name = name;
    this.#callbacks = callbacks;
    this.#limits = limits;
    this.#onEnd = onEnd;
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
    this.#reason = reason;
    this.#closed = new Promise((resolve) => this.#settleClosed = resolve);
    this.#deadline = setTimeout(() => {
      void this.#callClose(reason);
      this.#end();
    }, this.#limits.deadlineMs);
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
      const task = this.#queue[0];
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
    this.#queue.shift()?.settle();
  }

  /** Gives the subscriber up when a task grows too old. */
  #watch(task: Task): void {
    if (this.#closed !== undefined) return; // The deadline of `close` is at work.
    const { maxAgeMs } = this.#limits;
    const timer = setTimeout(
      () =>
        this.#fail(
          new DeliveryError(
            `Subscription ${this.#name} did not take what it was sent within ` +
              `${maxAgeMs} ms ("maxAgeMs").`,
          ),
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
    this.#end(
      refused ? undefined : new DeliveryError(
        `Subscription ${this.#name} failed and was removed.`,
        { cause },
      ),
    );
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
    } catch {
      // It is being removed; how its stream takes that changes nothing.
    }
  }

  #end(failure?: DeliveryError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#stalled);
    clearTimeout(this.#deadline);
    const pending = this.#queue;
    this.#queue = [];
    for (const { settle } of pending) settle();
    this.#onEnd(failure);
    this.#settleClosed();
  }
}
