import { LimitError } from "../errors.ts";

/**
 * Which session subscribed to which resource, indexed both ways: the cost of an
 * operation depends only on the entries it touches.
 */
export class ResourceSubscriptions {
  readonly #sessions: Map<string, Set<string>> = new Map();
  readonly #uris: Map<string, Set<string>> = new Map();
  #size = 0;

  /** How many subscriptions there are. */
  get size(): number {
    return this.#size;
  }

  /** Returns the sessions that subscribed to a resource. */
  sessionsOf(uri: string): string[] {
    return [...this.#sessions.get(uri) ?? []];
  }

  /** Returns the resources that a session subscribed to. */
  urisOf(id: string): string[] {
    return [...this.#uris.get(id) ?? []];
  }

  /** Returns whether a session has subscriptions. */
  hasSession(id: string): boolean {
    return this.#uris.has(id);
  }

  /**
   * Throws if a session cannot subscribe to one more resource.
   *
   * @param id The session ID.
   * @param uri The resource.
   * @param max How many subscriptions a session may have.
   * @throws {LimitError} If it has as many.
   */
  assertCapacity(id: string, uri: string, max: number): void {
    const uris = this.#uris.get(id);
    if (uris === undefined || uris.size < max || uris.has(uri)) return;
    throw tooManySubscriptions(max);
  }

  /** Subscribes a session to a resource. */
  add(id: string, uri: string): void {
    if (addTo(this.#sessions, uri, id)) this.#size++;
    addTo(this.#uris, id, uri);
  }

  /** Ends a session's subscription to a resource. */
  remove(id: string, uri: string): void {
    if (removeFrom(this.#sessions, uri, id)) this.#size--;
    removeFrom(this.#uris, id, uri);
  }

  /** Ends all subscriptions of a session. */
  removeSession(id: string): void {
    for (const uri of this.#uris.get(id) ?? []) {
      removeFrom(this.#sessions, uri, id);
      this.#size--;
    }
    this.#uris.delete(id);
  }

  /** Ends all subscriptions. */
  clear(): void {
    this.#sessions.clear();
    this.#uris.clear();
    this.#size = 0;
  }
}

/** The error of a session that has as many subscriptions as it may have. */
export function tooManySubscriptions(max: number): LimitError {
  return new LimitError(
    "info.maxSubscriptionsPerSession",
    max,
    "The session subscribes to too many resources.",
  );
}

/** Adds a value; returns whether it was not there. */
function addTo(
  index: Map<string, Set<string>>,
  key: string,
  value: string,
): boolean {
  const values = index.get(key);
  if (values === undefined) {
    index.set(key, new Set([value]));
    return true;
  }
  const { size } = values;
  return values.add(value).size > size;
}

/** Removes a value; returns whether it was there. */
function removeFrom(
  index: Map<string, Set<string>>,
  key: string,
  value: string,
): boolean {
  const values = index.get(key);
  if (values?.delete(value) !== true) return false;
  if (values.size === 0) index.delete(key);
  return true;
}
