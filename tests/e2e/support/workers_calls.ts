import type { Actions, Call, CallResult } from "./workers_actions.ts";

/** Calls to a worker that wait for their results. */
export class WorkerCalls {
  readonly #post: (call: Call) => void;
  readonly #waiting: Map<number, (result: CallResult) => void> = new Map();
  #count = 0;

  /** @param post Sends a call to the worker. */
  constructor(post: (call: Call) => void) {
    this.#post = post;
  }

  /** Runs an action in the worker. */
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

  /** Resolves or rejects a call with its result. */
  settle(result: CallResult): void {
    this.#waiting.get(result.number)?.(result);
    this.#waiting.delete(result.number);
  }

  /** Rejects all pending calls because the worker has exited. */
  end(): void {
    for (const [number, settle] of this.#waiting) {
      settle({ number, error: "The worker has exited." });
    }
    this.#waiting.clear();
  }
}
