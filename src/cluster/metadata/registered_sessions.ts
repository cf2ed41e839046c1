import type { SessionEndReason } from "../../contracts/options.ts";
import { PrincipalIndex } from "../../metadata/principal_index.ts";
import type { RecordLimits } from "../../metadata/session_records.ts";
import { SessionEvents } from "../../metadata/session_events.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { Field } from "./replicated_records.ts";

/** The field with the principal of a session that began through the guard. */
export const PRINCIPAL = "principal";

/** How a session was removed. */
export interface Removal {
  readonly reason: SessionEndReason;
  /** Whether another node has removed it. */
  readonly isRemote?: boolean;
}

/** Returns the value of {@linkcode PRINCIPAL}. */
export function principalField(principal: string | undefined): string {
  // An empty principal differs from none.
  return principal === undefined ? "" : `=${principal}`;
}

/** Returns the principal of a session, from its field. */
export function principalOf(
  [value]: readonly [value: string, ...unknown[]],
): string | undefined {
  return value === "" ? undefined : value.slice(1);
}

/** Returns when a session began, in milliseconds since 1970, from its field. */
export function startedAtOf([, [time]]: Field): number {
  // Timestamps are in microseconds.
  return Math.floor(time / 1_000);
}

/** The sessions that began through the guard, as this node knows them. */
export class RegisteredSessions {
  readonly events: SessionEvents = new SessionEvents();
  readonly #node: ClusterNode;
  readonly #index: PrincipalIndex;

  /**
   * @param node This node.
   * @param limits How many sessions a principal may have.
   */
  constructor(
    node: ClusterNode,
    { maxSessionsPerPrincipal }: Pick<RecordLimits, "maxSessionsPerPrincipal">,
  ) {
    this.#node = node;
    this.#index = new PrincipalIndex(maxSessionsPerPrincipal);
  }

  /** How many there are. */
  get size(): number {
    return this.#index.size;
  }

  /**
   * Throws if a principal cannot have one more session.
   *
   * @throws {LimitError} If it has as many as it may have.
   */
  assertCapacity(principal: string | undefined): void {
    this.#index.assertCapacity(principal);
  }

  /** Called when the field of a session was written; `null` if removed. */
  onWrite(id: string, before: Field | undefined, value: string | null): void {
    if (before !== undefined) this.#index.remove(id, principalOf(before));
    if (value !== null) this.#index.add(id, principalOf([value]));
  }

  /**
   * Called when a session was removed, with its field. Returns whether it was
   * there.
   */
  onRemove(
    id: string,
    field: Field | undefined,
    { reason, isRemote = false }: Removal,
  ): boolean {
    if (reason === "ended") this.events.gone(id);
    if (field === undefined) return false;
    if (!this.#index.remove(id, principalOf(field))) return false;
    // Several nodes find expired sessions. One of them reports each.
    const isReported = reason === "expired"
      ? this.#node.others.every((name) => this.#node.name < name)
      : !isRemote;
    if (isReported) {
      this.events.ended(id, reason, Date.now() - startedAtOf(field));
    }
    return true;
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
