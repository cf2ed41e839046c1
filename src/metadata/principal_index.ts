import { LimitError } from "../errors.ts";

/** How many sessions one page has. */
export const PAGE_SIZE = 1_000;

/**
 * The sessions that began through the guard, by principal. Iterating is safe
 * while sessions come and go: those that are there throughout come exactly once.
 */
export class PrincipalIndex {
  readonly #sessions: Map<string | undefined, Set<string>> = new Map();
  readonly #maxPerPrincipal: number;
  #size = 0;

  /** @param maxPerPrincipal How many sessions a principal may have. */
  constructor(maxPerPrincipal: number) {
    this.#maxPerPrincipal = maxPerPrincipal;
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Throws if a principal cannot have one more session. Clients without a
   * principal are not limited.
   *
   * @throws {LimitError} If it has as many as it may have.
   */
  assertCapacity(principal: string | undefined): void {
    if (principal === undefined) return;
    const count = this.#sessions.get(principal)?.size ?? 0;
    if (count >= this.#maxPerPrincipal) {
      throw tooManySessions(this.#maxPerPrincipal);
    }
  }

  /** Adds a session. */
  add(id: string, principal: string | undefined): void {
    const sessions = this.#sessions.get(principal);
    if (sessions?.has(id)) return;
    this.#size++;
    if (sessions === undefined) this.#sessions.set(principal, new Set([id]));
    else sessions.add(id);
  }

  /** Removes a session; returns whether it was there. */
  remove(id: string, principal: string | undefined): boolean {
    const sessions = this.#sessions.get(principal);
    if (sessions?.delete(id) !== true) return false;
    this.#size--;
    if (sessions.size === 0) this.#sessions.delete(principal);
    return true;
  }

  /** Returns the sessions of a principal, or all, in pages. */
  pages(principal?: string): Generator<string[]> {
    return pagesOf(this.#idsOf(principal));
  }

  /** Removes all sessions. */
  clear(): void {
    this.#sessions.clear();
    this.#size = 0;
  }

  *#idsOf(principal: string | undefined): Generator<string> {
    if (principal !== undefined) {
      yield* this.#sessions.get(principal) ?? [];
    } else {
      for (const sessions of this.#sessions.values()) yield* sessions;
    }
  }
}

/** Divides session IDs into pages. */
export function* pagesOf(ids: Iterable<string>): Generator<string[]> {
  let page: string[] = [];
  for (const id of ids) {
    page.push(id);
    if (page.length < PAGE_SIZE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** The error of a principal that has as many sessions as it may have. */
export function tooManySessions(max: number): LimitError {
  return new LimitError(
    "info.maxSessionsPerPrincipal",
    max,
    "The principal has too many sessions.",
  );
}
