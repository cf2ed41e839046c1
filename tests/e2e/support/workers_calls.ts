import type { Actions, Call, CallResult } from "./workers_actions.ts";

/** What a worker is asked to do, and what came of it. */
export class WorkerCalls {
  readonly #post: (call: Call) => void;
  readonly #waiting: Map<number, (result: CallResult) => void> = new Map();
  #count = 0;

  /** @param post Brings an call to the worker. */
  constructor(post: (call: Call) => void) {
    this.#post = post;
  }

  /** Has the worker do something. */
  async call<A extends keyof Actions>(
    action: A,
    ...args: Parameters<Actions[A]>
  ): Promise<Awaited<ReturnType<Actions[A]>>> {
    const call: Call = { number: ++this.#count, action, args };
    const { value, error } = await new Promise<CallResult>((resolve) => {
      this.#waiting.set(call.number, resolve);
      this.#post(call);
    });
    if (error !== undefined) throw new Error(error);
    return value as never;
  }

  /** To be called with what came of an call. */
  settle(result: CallResult): void {
    this.#waiting.get(result.number)?.(result);
    this.#waiting.delete(result.number);
  }

  /** To be called when the worker has ended: nothing more comes of its calls. */
  end(): void {
    for (const [number, settle] of this.#waiting) {
      settle({ number, error: "The worker has ended." });
    }
    this.#waiting.clear();
  }
}
