import type { SessionEndReason } from "../contracts/options.ts";
import type { SessionRegistration } from "../contracts/guarding.ts";
import type { SessionEvents } from "./session_events.ts";

/**
 * A field of a session's metadata, except subscriptions. `initialize` and `host`
 * are for sessions whose server is an object in memory: the parameters of their
 * `initialize` request, and the node that has the server.
 */
export type MetadataField =
  | "clientInfo"
  | "clientCapabilities"
  | "logLevel"
  | "data"
  | "initialize"
  | "host";

/** A value, or a promise of it if the store is not in this process. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** What is stored of a session, for `sessions.list`. */
export interface StoredSummary {
  readonly principal: string | undefined;
  /** As JSON. */
  readonly clientInfo: string | undefined;
  /** When it began, and was last used, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly lastUsedAt: number;
}

/** What a process knows. */
export interface KnownCounts {
  /** How many sessions that began through the guard. */
  readonly sessions: number;
  /** How many subscriptions to resources. */
  readonly subscriptions: number;
}

/** Session IDs, in pages. Iterating over the pages may fail. */
export type SessionPages =
  | Iterable<readonly string[]>
  | AsyncIterable<readonly string[]>;

/**
 * Stores the metadata of sessions. In a cluster, the other nodes can read what
 * was written when the promise resolves.
 *
 * This is a port. `LocalMetadataStore` keeps everything in this process,
 * `ReplicatedMetadataStore` has a copy on each node, and `RedisMetadataStore` is
 * shared by all nodes.
 */
export interface MetadataStore {
  /** Reads a field of a session, and marks the session as used. */
  read(id: string, field: MetadataField): MaybePromise<string | undefined>;
  /** Reads a field of a session. Does not count as use of it. */
  peek(id: string, field: MetadataField): MaybePromise<string | undefined>;
  /**
   * Writes a field of a session; `null` removes it.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  write(
    id: string,
    field: MetadataField,
    value: string | null,
  ): MaybePromise<void>;
  /** Returns the sessions that subscribed to a resource. */
  sessionsSubscribedTo(uri: string): MaybePromise<string[]>;
  /** Returns the resources that a session subscribed to. */
  subscriptionsOf(id: string): MaybePromise<string[]>;
  /**
   * Subscribes a session to a resource.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  subscribe(id: string, uri: string): MaybePromise<void>;
  /** Ends a subscription to a resource. */
  unsubscribe(id: string, uri: string): MaybePromise<void>;
  /**
   * Registers a session, unless it exists.
   *
   * @returns Whether it belongs to the principal of the registration.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  register(
    id: string,
    registration: SessionRegistration,
  ): MaybePromise<boolean>;
  /** Returns the registration of a session. Does not count as use of it. */
  registration(id: string): MaybePromise<SessionRegistration | undefined>;
  /**
   * Returns the sessions that began through the guard, in pages: those of a
   * principal, or all. Those that are there throughout come exactly once.
   *
   * @throws {ClusterError} If nobody can tell at the moment.
   */
  pages(principal?: string): SessionPages;
  /**
   * Returns what is stored of sessions that began through the guard, in the same
   * order; undefined for others. Does not count as use of them.
   *
   * @throws {ClusterError} If nobody can tell at the moment.
   */
  describe(
    ids: readonly string[],
  ): MaybePromise<readonly (StoredSummary | undefined)[]>;
  /**
   * Returns how many milliseconds ago a session was used, as far as this process
   * knows.
   */
  ageOf(id: string): number | undefined;
  /** Marks a session as used. */
  touch(id: string): void;
  /**
   * Deletes a session, on all nodes.
   *
   * @returns Whether it had begun through the guard, and was there.
   */
  delete(id: string, reason: SessionEndReason): MaybePromise<boolean>;
  /** Informs of the sessions that begin and end. */
  readonly events: SessionEvents;
  /** How many sessions expired. */
  readonly expired: number;
  /** How many sessions and subscriptions this process knows. */
  readonly known: KnownCounts;
  /** Removes everything in this process. */
  close(): void;
}
