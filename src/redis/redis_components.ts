import type { LogState, RedisComponent } from "./redis_component.ts";

/** The components of a node: what happens in one of them concerns the others. */
export class RedisComponents {
  readonly #all: RedisComponent[] = [];

  /** Adds a component. The event log comes first. */
  add(component: RedisComponent): void {
    this.#all.push(component);
  }

  /** The newest event that a component knows. */
  get newest(): number {
    return Math.max(0, ...this.#all.map(({ newest = 0 }) => newest));
  }

  /** The sequence number of the last event that a component has appended. */
  get appended(): number {
    return Math.max(0, ...this.#all.map(({ appended = 0 }) => appended));
  }

  /** Called with the state of the log. */
  readLogState(state: LogState): void {
    for (const component of this.#all) component.onLogState?.(state);
  }

  /** Called when the subscriber may have missed messages. */
  resubscribed(): void {
    for (const component of this.#all) component.onResubscribed?.();
  }

  /**
   * Called when Redis is available again.
   *
   * @param isEmpty Whether it may have lost everything.
   */
  reconnected(isEmpty: boolean): void {
    // Sessions must be restored before events for them are appended. The log
    // was added first.
    for (const component of this.#all.toReversed()) {
      component.onReconnected?.(isEmpty);
    }
  }

  /** Called when all nodes have had time to restore what Redis had lost. */
  recovered(): void {
    for (const component of this.#all) component.onRecovered?.();
  }

  /** Called with sessions that this node owns. */
  claimed(ids: Iterable<string>): void {
    for (const component of this.#all) component.onSessionsClaimed?.(ids);
  }

  /** Called with a session if Redis does not know of its claim. */
  claimFailed(id: string): void {
    for (const component of this.#all) component.onClaimFailed?.(id);
  }

  /** Called with a session of this node that Redis has evicted. */
  evicted(id: string): void {
    for (const component of this.#all) component.onEvicted?.(id);
  }

  /** Called with sessions to which events may be lost. */
  eventsLost(ids: readonly string[]): void {
    for (const component of this.#all) component.onEventsLost?.(ids);
  }

  /** Called when Redis knows the owners of all sessions. */
  ownersRestored(): void {
    for (const component of this.#all) component.onOwnersRestored?.();
  }

  /** Closes all components. */
  close(): void {
    for (const component of this.#all) component.close?.();
  }
}
