import type { Client } from "./client.ts";
import type { Claim } from "./operations.ts";

/** What clients remember when they reconnect. */
export class ClientMemory {
  readonly #startEventIds: Map<string, string> = new Map();
  /** The IDs of the events that a session has received. */
  readonly #ids: Map<string, readonly string[]> = new Map();

  /** Records the start position of a session. */
  begin(id: string, position: string | undefined): void {
    if (position !== undefined && !this.#startEventIds.has(id)) {
      this.#startEventIds.set(id, position);
    }
  }

  /** Returns the start position of a session. */
  startEventId(id: string): string | undefined {
    return this.#startEventIds.get(id);
  }

  /** Records what a client has received. */
  remember({ session, ids }: Client): void {
    if (ids.length > 0) this.#ids.set(session, ids);
  }

  /**
   * Returns the last event ID that a client sends.
   *
   * @param back Which one, if there are several of a kind.
   * @param future An ID that no event has yet.
   */
  claim(
    id: string,
    claim: Claim,
    back: number,
    future: string | undefined,
  ): string | undefined {
    switch (claim) {
      case "last":
        return this.#ids.get(id)?.at(-1);
      case "older":
        return this.#ids.get(id)?.at(-1 - back);
      case "other":
        return [...this.#ids.values()].at(back)?.at(-1);
      case "nothing":
        return undefined;
      case "future":
        return future;
      case "other log":
        return "0123456789abcdef-1";
      case "garbage":
        return ["-", "x-1", "\u{1f600}", "1", "__proto__"][back];
    }
  }
}
