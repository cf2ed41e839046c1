import type { Respond } from "../contracts/guarding.ts";
import { requestKey } from "../replay/request_key.ts";
import type { AwaitedMessages } from "./awaited_messages.ts";
import { parseRequestEventId } from "./request_event_id.ts";

/** A request whose response is an event stream. */
export interface OpenRequest {
  readonly key: string;
  readonly sessionId: string;
  /** Aborts what the transport does for it, if its events are kept. */
  readonly abort: AbortController;
  /** The transport that works on it. */
  readonly respond: Respond;
  readonly awaited: AwaitedMessages;
  /** When its response was complete; undefined before. */
  doneAt: number | undefined;
}

/** The requests of this node: those that are running, and those that are done. */
export class RequestRegistry {
  readonly #running: Map<string, OpenRequest> = new Map();
  /** Oldest first. */
  readonly #done: Map<string, OpenRequest> = new Map();
  /** Both, by session. */
  readonly #ofSession: Map<string, Set<OpenRequest>> = new Map();

  /** How many requests are running. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Whether there are none at all. */
  get isEmpty(): boolean {
    return this.#ofSession.size === 0;
  }

  /** Adds a request that is running. */
  add(request: OpenRequest): void {
    this.#running.set(request.key, request);
    const others = this.#ofSession.get(request.sessionId);
    if (others === undefined) {
      this.#ofSession.set(request.sessionId, new Set([request]));
    } else others.add(request);
  }

  /** Returns whether a request is running. */
  isRunning({ key }: OpenRequest): boolean {
    return this.#running.has(key);
  }

  /** Returns the request of a session that an event ID belongs to. */
  get(sessionId: string, eventId: string): OpenRequest | undefined {
    const { name = "" } = parseRequestEventId(eventId) ?? {};
    const key = requestKey(name, sessionId);
    return this.#running.get(key) ?? this.#done.get(key);
  }

  /** Returns the requests of a session. */
  ofSession(sessionId: string): OpenRequest[] {
    return [...this.#ofSession.get(sessionId) ?? []];
  }

  /** The sessions that have requests. */
  sessions(): string[] {
    return [...this.#ofSession.keys()];
  }

  /** The sessions with a running request. */
  sessionsInUse(): Set<string> {
    const running = [...this.#running.values()];
    return new Set(running.map(({ sessionId }) => sessionId));
  }

  /**
   * Records that a response is complete.
   *
   * @param request The request.
   * @param now The current time.
   * @param maxDone Beyond this number, the oldest that are done are forgotten.
   */
  finish(request: OpenRequest, now: number, maxDone: number): void {
    request.doneAt = now;
    this.#running.delete(request.key);
    this.#done.set(request.key, request);
    const [oldest] = this.#done.values();
    if (this.#done.size > maxDone) this.forget(oldest!);
  }

  /** Forgets the requests that have been done for this long; returns them. */
  expire(now: number, maxAgeMs: number): OpenRequest[] {
    const expired: OpenRequest[] = [];
    for (const request of this.#done.values()) {
      if (now - request.doneAt! < maxAgeMs) break;
      this.forget(request);
      expired.push(request);
    }
    return expired;
  }

  /** Forgets a request. */
  forget(request: OpenRequest): void {
    this.#running.delete(request.key);
    this.#done.delete(request.key);
    const others = this.#ofSession.get(request.sessionId);
    others?.delete(request);
    if (others?.size === 0) this.#ofSession.delete(request.sessionId);
  }
}
