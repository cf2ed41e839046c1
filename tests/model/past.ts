import type { Client } from "./client.ts";
import type { Claim } from "./operations.ts";

/** What clients know when they come back. */
export class Past {
  readonly #began: Map<string, string> = new Map();
  /** The ids of the events that a session has got. */
  readonly #ids: Map<string, readonly string[]> = new Map();

  /** Notes the position at which a session begins, if it does. */
  begin(id: string, position: string | undefined): void {
    if (position !== undefined && !this.#began.has(id)) {
      this.#began.set(id, position);
    }
  }

  /** At which position a session began. */
  began(id: string): string | undefined {
    return this.#began.get(id);
  }

  /** Notes what a client has got. */
  remember({ session, ids }: Client): void {
    if (ids.length > 0) this.#ids.set(session, ids);
  }

  /**
   * What a client says it got last.
   *
   * @param back Which one, where there are several of a kind.
   * @param future An id that is not given yet.
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
      case "another log's":
        return "0123456789abcdef-1";
      case "garbage":
        return ["-", "x-1", "\u{1f600}", "1", "__proto__"][back];
    }
  }
}
