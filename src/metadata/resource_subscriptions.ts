/**
 * Which session subscribed to which resource, indexed both ways: the cost of an
 * operation depends only on the entries it touches.
 */
export class ResourceSubscriptions {
  readonly #sessions: Map<string, Set<string>> = new Map();
  readonly #uris: Map<string, Set<string>> = new Map();

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

  /** Subscribes a session to a resource. */
  add(id: string, uri: string): void {
    addTo(this.#sessions, uri, id);
    addTo(this.#uris, id, uri);
  }

  /** Ends a session's subscription to a resource. */
  remove(id: string, uri: string): void {
    removeFrom(this.#sessions, uri, id);
    removeFrom(this.#uris, id, uri);
  }

  /** Ends all subscriptions of a session. */
  removeSession(id: string): void {
    for (const uri of this.#uris.get(id) ?? []) {
      removeFrom(this.#sessions, uri, id);
    }
    this.#uris.delete(id);
  }

  /** Ends all subscriptions. */
  clear(): void {
    this.#sessions.clear();
    this.#uris.clear();
  }
}

function addTo(
  index: Map<string, Set<string>>,
  key: string,
  value: string,
): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, new Set([value]));
  else values.add(value);
}

function removeFrom(
  index: Map<string, Set<string>>,
  key: string,
  value: string,
): void {
  const values = index.get(key);
  if (values?.delete(value) && values.size === 0) index.delete(key);
}
