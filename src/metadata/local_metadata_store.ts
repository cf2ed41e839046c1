import type { SessionRegistration } from "../contracts/guarding.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type {
  KnownCounts,
  MetadataField,
  MetadataStore,
  StoredSummary,
} from "./metadata_store.ts";
import type { SessionEndReason } from "../contracts/options.ts";
import { pagesOf, PrincipalIndex } from "./principal_index.ts";
import { ResourceSubscriptions } from "./resource_subscriptions.ts";
import { SessionEvents } from "./session_events.ts";
import {
  type RecordLimits,
  type SessionRecord,
  SessionRecords,
} from "./session_records.ts";

/** The registration of all sessions without a user and without replay. */
const ANONYMOUS: SessionRegistration = {
  principal: undefined,
  startEventId: undefined,
};

/** Keeps the metadata of sessions in this process. */
export class LocalMetadataStore implements MetadataStore {
  readonly events: SessionEvents = new SessionEvents();
  readonly #records: SessionRecords;
  readonly #subscriptions = new ResourceSubscriptions();
  readonly #index: PrincipalIndex;
  readonly #maxSubscriptions: number;
  #expired = 0;
  #registered = 0;

  /**
   * @param limits When sessions expire, and how many there may be.
   * @param onError Called if `streams.has` fails.
   * @param scheduler Runs the checks for expiry.
   */
  constructor(
    limits: RecordLimits,
    onError: (error: Error) => void,
    scheduler: Scheduler,
  ) {
    this.#index = new PrincipalIndex(limits.maxSessionsPerPrincipal);
    this.#maxSubscriptions = limits.maxSubscriptionsPerSession;
    this.#records = new SessionRecords<SessionRecord>(
      limits,
      {
        // Most sessions are registered: fields of the literal take less memory
        // than those that are added.
        newRecord: (lastUsedAt) => ({
          lastUsedAt,
          registration: undefined,
          startedAt: undefined,
        }),
        onExpire: (id, record) => {
          this.#subscriptions.removeSession(id);
          this.#expired++;
          this.#onEnd(id, record, "expired");
        },
        onError,
      },
      scheduler,
    );
  }

  get expired(): number {
    return this.#expired;
  }

  get known(): KnownCounts {
    const subscriptions = this.#subscriptions.size;
    return { sessions: this.#registered, subscriptions };
  }

  read(id: string, field: MetadataField): string | undefined {
    return this.#records.touch(id)?.[field];
  }

  peek(id: string, field: MetadataField): string | undefined {
    return this.#records.get(id)?.[field];
  }

  write(id: string, field: MetadataField, value: string | null): void {
    const record = this.#records.getOrCreate(id);
    record[field] = value ?? undefined;
    this.#deleteIfEmpty(id, record);
  }

  sessionsSubscribedTo(uri: string): string[] {
    return this.#subscriptions.sessionsOf(uri);
  }

  subscriptionsOf(id: string): string[] {
    return this.#subscriptions.urisOf(id);
  }

  subscribe(id: string, uri: string): void {
    this.#records.getOrCreate(id);
    this.#subscriptions.assertCapacity(id, uri, this.#maxSubscriptions);
    this.#subscriptions.add(id, uri);
  }

  unsubscribe(id: string, uri: string): void {
    const record = this.#records.touch(id);
    this.#subscriptions.remove(id, uri);
    if (record !== undefined) this.#deleteIfEmpty(id, record);
  }

  register(
    id: string,
    { principal, startEventId }: SessionRegistration,
  ): boolean {
    const known = this.#records.touch(id);
    if (known?.registration !== undefined) {
      return known.registration.principal === principal;
    }
    this.#index.assertCapacity(principal);
    const record = known ?? this.#records.getOrCreate(id);
    record.registration = principal === undefined && startEventId === undefined
      ? ANONYMOUS
      : { principal, startEventId };
    record.startedAt = Date.now();
    this.#registered++;
    if (principal !== undefined) this.#index.add(id, principal);
    this.events.begun(id, principal);
    return true;
  }

  registration(id: string): SessionRegistration | undefined {
    return this.#records.get(id)?.registration;
  }

  pages(principal?: string): Iterable<readonly string[]> {
    return principal === undefined
      ? pagesOf(this.#registeredIds())
      : this.#index.pages(principal);
  }

  describe(ids: readonly string[]): (StoredSummary | undefined)[] {
    return ids.map((id) => {
      const record = this.#records.get(id);
      if (record?.registration === undefined) return undefined;
      const { registration, clientInfo, startedAt = 0 } = record;
      const { principal } = registration;
      const age = this.#records.ageOf(record);
      return { principal, clientInfo, startedAt, lastUsedAt: Date.now() - age };
    });
  }

  ageOf(id: string): number | undefined {
    const record = this.#records.get(id);
    return record && this.#records.ageOf(record);
  }

  touch(id: string): void {
    this.#records.touch(id);
  }

  delete(id: string, reason: SessionEndReason): boolean {
    const record = this.#records.get(id);
    this.#records.delete(id);
    this.#subscriptions.removeSession(id);
    return this.#onEnd(id, record, reason);
  }

  close(): void {
    this.#records.clear();
    this.#subscriptions.clear();
    this.#index.clear();
    this.#registered = 0;
  }

  /** Called with a session that was removed; returns whether it had begun. */
  #onEnd(
    id: string,
    record: SessionRecord | undefined,
    reason: SessionEndReason,
  ): boolean {
    const { registration, startedAt = 0 } = record ?? {};
    if (registration === undefined) return false;
    this.#registered--;
    this.#index.remove(id, registration.principal);
    this.events.ended(id, reason, Date.now() - startedAt);
    if (reason === "ended") this.events.gone(id);
    return true;
  }

  /** Removes a session without any metadata. */
  #deleteIfEmpty(id: string, record: SessionRecord): void {
    const { clientInfo, clientCapabilities, logLevel, registration } = record;
    const { data, initialize, host } = record;
    const isEmpty = (clientInfo ?? clientCapabilities ?? logLevel ??
      registration ?? data ?? initialize ?? host) === undefined;
    if (isEmpty && !this.#subscriptions.hasSession(id)) {
      this.#records.delete(id);
    }
  }

  /**
   * Returns the sessions that began through the guard. Those that are used
   * meanwhile move to the end, but come only once.
   */
  *#registeredIds(): Generator<string> {
    const seen = new Set<string>();
    for (const [id, { registration }] of this.#records.entries()) {
      if (registration === undefined || seen.has(id)) continue;
      seen.add(id);
      yield id;
    }
  }
}
