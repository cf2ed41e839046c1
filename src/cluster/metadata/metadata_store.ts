import type { SessionRegistration } from "../../metadata/session_records.ts";

/** A field of a session's metadata, except subscriptions. */
export type MetadataField = "clientInfo" | "clientCapabilities" | "logLevel";

/**
 * Stores the metadata of sessions for all nodes. When a write has resolved, the
 * other nodes can read it.
 *
 * This is a port: each node can have a copy (`ReplicatedMetadataStore`), or
 * they share a store.
 */
export interface MetadataStore {
  /** Reads a field of a session, and marks the session as used. */
  read(id: string, field: MetadataField): Promise<string | undefined>;
  /**
   * Writes a field of a session; `null` removes it.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  write(id: string, field: MetadataField, value: string | null): Promise<void>;
  /** Returns the sessions that subscribed to a resource. */
  sessionsSubscribedTo(uri: string): Promise<string[]>;
  /**
   * Subscribes a session to a resource.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  subscribe(id: string, uri: string): Promise<void>;
  /** Ends a subscription to a resource. */
  unsubscribe(id: string, uri: string): Promise<void>;
  /**
   * Registers a session, unless it exists.
   *
   * @returns Whether it belongs to the principal.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  register(id: string, principal: string | undefined): Promise<boolean>;
  /** Returns the registration of a session. Does not count as use of it. */
  registration(id: string): Promise<SessionRegistration | undefined>;
  /** Marks a session as used. */
  touch(id: string): void;
  /** Deletes a session on all nodes. */
  delete(id: string): Promise<void>;
  /** How many sessions expired. */
  readonly expired: number;
  /** Removes everything on this node. */
  close(): void;
}
