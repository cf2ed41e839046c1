import type { SessionHosting } from "../contracts/hosting.ts";
import { touch } from "../runtime/lru_map.ts";
import { checkPeriodFor, type PeriodicTask } from "../runtime/scheduler.ts";
import type { SdkSession } from "./sdk_session.ts";

/** How many sessions are checked at once. */
const SWEEP = 1_000;
/** How long a session may be unused before it is checked, in milliseconds. */
const MAX_UNCHECKED_MS = 60_000;

interface HostedSession {
  readonly session: SdkSession;
  /** When the session was last used here, or found to exist. */
  seenAt: number;
}

/** The sessions of this node. Closes those that have ended elsewhere. */
export class HostedSessions implements PeriodicTask {
  readonly periodMs: number;
  readonly #hosting: SessionHosting;
  readonly #uncheckedMs: number;
  /** Least recently seen first. */
  readonly #sessions: Map<string, HostedSession> = new Map();
  #isSweeping = false;

  /** @param hosting Knows which sessions exist. */
  constructor(hosting: SessionHosting) {
    this.#hosting = hosting;
    this.#uncheckedMs = Math.min(hosting.idleTimeoutMs, MAX_UNCHECKED_MS);
    this.periodMs = checkPeriodFor(this.#uncheckedMs);
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Adds a session. */
  add(session: SdkSession): void {
    this.#hosting.scheduler.start(this);
    const seenAt = this.#hosting.scheduler.now();
    this.#sessions.set(session.sessionId, { session, seenAt });
  }

  /** Returns a session that is about to be used. */
  get(id: string): SdkSession | undefined {
    const hosted = this.#sessions.get(id);
    if (hosted === undefined) return undefined;
    this.#see(id, hosted);
    return hosted.session;
  }

  /** Returns whether a session is here. Does not count as use. */
  has(session: SdkSession): boolean {
    return this.#sessions.get(session.sessionId)?.session === session;
  }

  /** Removes a session, if it is still the one with its ID. */
  remove(session: SdkSession): void {
    const id = session.sessionId;
    if (this.has(session)) this.#sessions.delete(id);
    if (this.#sessions.size === 0) this.#hosting.scheduler.stop(this);
  }

  /** Removes all sessions; returns them. */
  clear(): SdkSession[] {
    const all = [...this.#sessions.values()].map(({ session }) => session);
    this.#sessions.clear();
    this.#hosting.scheduler.stop(this);
    return all;
  }

  /** Looks for sessions that have ended. */
  run(now: number): void {
    if (this.#isSweeping) return;
    const unseen: HostedSession[] = [];
    for (const hosted of this.#sessions.values()) {
      if (now - hosted.seenAt < this.#uncheckedMs) break;
      if (unseen.push(hosted) === SWEEP) break;
    }
    if (unseen.length === 0) return;
    this.#isSweeping = true;
    void Promise.all(unseen.map((hosted) => this.#check(hosted)))
      .finally(() => this.#isSweeping = false);
  }

  async #check(hosted: HostedSession): Promise<void> {
    const { session } = hosted;
    const id = session.sessionId;
    try {
      const exists = await this.#hosting.isSession(id);
      if (this.#sessions.get(id) !== hosted) return;
      if (exists) return this.#see(id, hosted);
      this.remove(session);
      await session.close();
    } catch (error) {
      const isUnknown = (error as { code?: unknown }).code === "ERR_CLUSTER";
      // Nobody can tell at the moment.
      if (!isUnknown) this.#hosting.report(error as Error);
      if (this.#sessions.get(id) === hosted) this.#see(id, hosted);
    }
  }

  #see(id: string, hosted: HostedSession): void {
    hosted.seenAt = this.#hosting.scheduler.now();
    touch(this.#sessions, id, hosted);
  }
}
