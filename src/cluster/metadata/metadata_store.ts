import type { SessionRegistration } from "../../metadata/session_records.ts";

/** What is stored of a session besides its subscriptions, as text. */
export type MetadataField = "clientInfo" | "clientCapabilities" | "logLevel";

/**
 * Keeps the metadata of sessions for all nodes. What is written can be read on the
 * others when the promise has resolved.
 *
 * This is a port: nodes can each have a copy (`ReplicatedInfo`), or share a store.
 */
export interface MetadataStore {
  /** A field of a session, which is in use now. */
  read(id: string, field: MetadataField): Promise<string | undefined>;
  /**
   * Writes a field of a session; `null` removes it.
   *
   * @throws {SessionLimitError} When there is no place for it.
   */
  write(id: string, field: MetadataField, value: string | null): Promise<void>;
  /** The sessions that subscribed to a resource. */
  sessionsSubscribedTo(uri: string): Promise<string[]>;
  /**
   * Subscribes a session to a resource.
   *
   * @throws {SessionLimitError} When there is no place for it.
   */
  subscribe(id: string, uri: string): Promise<void>;
  /** Ends a subscription to a resource. */
  unsubscribe(id: string, uri: string): Promise<void>;
  /**
   * Begins a session, unless it is there.
   *
   * @returns Whether it is that principal's.
   * @throws {SessionLimitError} When there is no place for it.
   */
  register(id: string, principal: string | undefined): Promise<boolean>;
  /** How a session was begun. Asking is no use of it. */
  registration(id: string): Promise<SessionRegistration | undefined>;
  /** Notes that a session is in use. */
  touch(id: string): void;
  /** Forgets a session, on all nodes. */
  delete(id: string): Promise<void>;
  /** How many sessions were forgotten because nobody used them. */
  readonly expired: number;
  /** Forgets everything here. */
  close(): void;
}
