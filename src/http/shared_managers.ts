import type { StreamTransport } from "../contracts/guarding.ts";
import { InvalidArgumentError } from "../errors.ts";
import { safeCallback } from "../runtime/callbacks.ts";

/**
 * Reports once when two transports share the same managers instead of having a
 * view each: if they belong to one server, every client gets its broadcasts
 * twice.
 */
export class SharedManagers {
  readonly #onError: (error: Error) => void;
  readonly #seen: Set<StreamTransport> = new Set();
  #isSettled = false;

  /** @param onError Where it is reported. */
  constructor(onError: ((error: Error) => void) | undefined) {
    this.#onError = safeCallback("onError", onError);
  }

  /** Called when a view was created: the user knows of them. */
  addView(): void {
    this.#isSettled = true;
  }

  /** Called when a transport has answered with an event stream. */
  onStream(transport: StreamTransport): void {
    if (this.#isSettled) return;
    this.#seen.add(transport);
    if (this.#seen.size < 2) return;
    this.#isSettled = true;
    this.#onError(
      new InvalidArgumentError(
        "sessionManager",
        "A transport for Streamable HTTP and one for SSE use the same " +
          '"sessionManager". If they belong to one server, each client gets ' +
          "every broadcast twice. Pass `sessions.forTransport(name)` to each " +
          "transport instead, with a different name for each.",
      ),
    );
  }
}
