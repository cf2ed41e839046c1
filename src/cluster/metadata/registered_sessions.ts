import { PrincipalIndex } from "../../metadata/principal_index.ts";

/** The field with the principal of a session that began through the guard. */
export const PRINCIPAL = "principal";

/** The value of a field, and perhaps its timestamp. */
type Value = readonly [value: string, ...unknown[]];

/** Returns the value of {@linkcode PRINCIPAL}. */
export function principalField(principal: string | undefined): string {
  // An empty principal differs from none.
  return principal === undefined ? "" : `=${principal}`;
}

/** Returns the principal of a session, from its field. */
export function principalOf([value]: Value): string | undefined {
  return value === "" ? undefined : value.slice(1);
}

/** The sessions that began through the guard, as this node knows them. */
export class RegisteredSessions {
  readonly #index = new PrincipalIndex();

  /** Called when the field of a session was written; `null` if removed. */
  onWrite(id: string, before: Value | undefined, value: string | null): void {
    if (before !== undefined) this.#index.remove(id, principalOf(before));
    if (value !== null) this.#index.add(id, principalOf([value]));
  }

  /** Called when a session was removed, with its field. */
  onRemove(id: string, field: Value | undefined): void {
    if (field !== undefined) this.#index.remove(id, principalOf(field));
  }

  /** Returns the sessions of a principal, or all, in pages. */
  pages(principal?: string): Iterable<readonly string[]> {
    return this.#index.pages(principal);
  }

  /** Removes all sessions. */
  clear(): void {
    this.#index.clear();
  }
}
