import type { Actions, Order, Outcome } from "./workers_actions.ts";

/** What a worker is asked to do, and what came of it. */
export class Orders {
  readonly #post: (order: Order) => void;
  readonly #waiting: Map<number, (outcome: Outcome) => void> = new Map();
  #count = 0;

  /** @param post Brings an order to the worker. */
  constructor(post: (order: Order) => void) {
    this.#post = post;
  }

  /** Has the worker do something. */
  async call<A extends keyof Actions>(
    action: A,
    ...args: Parameters<Actions[A]>
  ): Promise<Awaited<ReturnType<Actions[A]>>> {
    const order: Order = { number: ++this.#count, action, args };
    const { value, error } = await new Promise<Outcome>((resolve) => {
      this.#waiting.set(order.number, resolve);
      this.#post(order);
    });
    if (error !== undefined) throw new Error(error);
    return value as never;
  }

  /** To be called with what came of an order. */
  settle(outcome: Outcome): void {
    this.#waiting.get(outcome.number)?.(outcome);
    this.#waiting.delete(outcome.number);
  }

  /** To be called when the worker has ended: nothing more comes of its orders. */
  end(): void {
    for (const [number, settle] of this.#waiting) {
      settle({ number, error: "The worker has ended." });
    }
    this.#waiting.clear();
  }
}
