import type { SessionHosting } from "../../contracts/hosting.ts";
import { touch } from "../../runtime/lru_map.ts";
import { nextTurn } from "../../runtime/end_of_turn.ts";
import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import type { SdkSession } from "./sdk_session.ts";

/** How many sessions are checked at once. */
const SWEEP = 100;
/** How long a session may stay unchecked, in milliseconds. */
const MAX_UNCHECKED_MS = 60_000;
/** How often sessions that have moved are checked, in milliseconds. */
const RETIRING_PERIOD_MS = 500;

interface HostedSession {
  readonly session: SdkSession;
  checkedAt: number;
}

/**
 * The sessions of this node. Closes those that have ended, and those that
 * another node has taken over.
 */
export class HostedSessions implements PeriodicTask {
  readonly periodMs: number;
  readonly #hosting: SessionHosting;
  readonly #uncheckedMs: number;
  /** Those that were not checked for the longest time are first. */
  readonly #sessions: Map<string, HostedSession> = new Map();
  /** Sessions that have moved. They finish the requests that they work on. */
  readonly #retiring: Set<SdkSession> = new Set();
  #isChecking = false;

  /** @param hosting Knows which sessions exist. */
  constructor(hosting: SessionHosting) {
    this.#hosting = hosting;
    this.#uncheckedMs = Math.min(hosting.idleTimeoutMs, MAX_UNCHECKED_MS);
    this.periodMs = Math.min(
      checkPeriodFor(this.#uncheckedMs),
      RETIRING_PERIOD_MS,
    );
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether requests are being answered. */
  get isBusy(): boolean {
    return this.#retiring.size > 0 ||
      [...this.#sessions.keys()].some((id) => this.#hosting.isBusy(id));
  }

  /** Adds a session. */
  add(session: SdkSession): void {
    this.#hosting.scheduler.start(this);
    const checkedAt = this.#hosting.scheduler.now();
    this.#sessions.set(session.sessionId, { session, checkedAt });
  }

  /** Returns a session. */
  get(id: string): SdkSession | undefined {
    return this.#sessions.get(id)?.session;
  }

  /** Removes a session, if it is still the one with its ID. */
  remove(session: SdkSession): void {
    const id = session.sessionId;
    if (this.get(id) === session) this.#sessions.delete(id);
    this.#stopIfEmpty();
  }

  /** Removes a session that another node has taken over. */
  retire(id: string): void {
    const session = this.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#retiring.add(session);
    this.#closeRetired();
  }

  /** Removes all sessions; returns them. */
  clear(): SdkSession[] {
    const all = [...this.#sessions.values()].map(({ session }) => session);
    all.push(...this.#retiring);
    this.#sessions.clear();
    this.#retiring.clear();
    this.#stopIfEmpty();
    return all;
  }

  /** Looks for sessions that have ended, or moved. */
  run(now: number): void {
    this.#closeRetired();
    if (this.#isChecking) return;
    const unchecked = this.#unchecked(now);
    if (unchecked.length === 0) return;
    this.#isChecking = true;
    void this.#checkAll(unchecked, now)
      .finally(() => this.#isChecking = false);
  }

  /** Returns sessions to check, up to a maximum. */
  #unchecked(now: number): HostedSession[] {
    const unchecked: HostedSession[] = [];
    for (const hosted of this.#sessions.values()) {
      if (now - hosted.checkedAt < this.#uncheckedMs) break;
      if (unchecked.push(hosted) === SWEEP) break;
    }
    return unchecked;
  }

  /** Checks these sessions, and then the others, however many there are. */
  async #checkAll(first: HostedSession[], now: number): Promise<void> {
    for (let some = first; some.length > 0; some = this.#unchecked(now)) {
      await Promise.all(some.map((hosted) => this.#check(hosted)));
      await nextTurn();
    }
  }

  async #check(hosted: HostedSession): Promise<void> {
    const { session } = hosted;
    const id = session.sessionId;
    const { shared } = this.#hosting;
    try {
      const exists = await this.#hosting.isSession(id);
      const isHost = !exists || await (shared?.isHost(id) ?? true);
      if (this.#sessions.get(id) !== hosted) return;
      if (!isHost) return this.retire(id);
      if (exists) return this.#checked(id, hosted);
      this.remove(session);
      await session.close();
    } catch (error) {
      const isUnknown = (error as { code?: unknown }).code === "ERR_CLUSTER";
      // Nobody can tell at the moment.
      if (!isUnknown) this.#hosting.report(error as Error);
      if (this.#sessions.get(id) === hosted) this.#checked(id, hosted);
    }
  }

  #checked(id: string, hosted: HostedSession): void {
    hosted.checkedAt = this.#hosting.scheduler.now();
    touch(this.#sessions, id, hosted);
  }

  #closeRetired(): void {
    for (const session of this.#retiring) {
      if (this.#hosting.isBusy(session.sessionId)) continue;
      this.#retiring.delete(session);
      session.close().catch(this.#hosting.report);
    }
    this.#stopIfEmpty();
  }

  #stopIfEmpty(): void {
    if (this.#sessions.size > 0 || this.#retiring.size > 0) return;
    this.#hosting.scheduler.stop(this);
  }
}
