import type { Respond } from "../contracts/guarding.ts";
import { FifoQueue } from "../runtime/fifo_queue.ts";
import { requestKey } from "../replay/request_key.ts";
import type { AwaitedMessages } from "./awaited_messages.ts";
import { parseRequestEventId } from "./request_event_id.ts";

/** A request whose response is complete, and is kept for its client. */
export interface DoneRequest {
  readonly key: string;
  readonly sessionId: string;
  /** When its response was complete. */
  readonly doneAt: number;
}

/** A request whose response is an event stream that goes on. */
export interface OpenRequest {
  readonly key: string;
  readonly sessionId: string;
  /** Aborts what the transport does for it, if its events are kept. */
  readonly abort: AbortController;
  /** The transport that works on it. */
  readonly respond: Respond;
  readonly awaited: AwaitedMessages;
}

/** The requests of this node: those that are running, and those that are done. */
export class RequestRegistry {
  readonly #running: Map<string, OpenRequest> = new Map();
  readonly #done: Map<string, DoneRequest> = new Map();
  /** The same, oldest first, with some that were forgotten. */
  readonly #oldest: FifoQueue<DoneRequest> = new FifoQueue();
  /** The keys of both, by session. */
  readonly #keysOf: Map<string, Set<string>> = new Map();

  /** How many requests are running. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Whether there are none at all. */
  get isEmpty(): boolean {
    return this.#keysOf.size === 0;
  }

  /** Adds a request that is running. */
  add(request: OpenRequest): void {
    this.#running.set(request.key, request);
    this.#addKey(request);
  }

  /** Returns whether a request is running. */
  isRunning({ key }: OpenRequest): boolean {
    return this.#running.has(key);
  }

  /** Returns the request of a session that an event ID belongs to. */
  get(
    sessionId: string,
    eventId: string,
  ): OpenRequest | DoneRequest | undefined {
    const { name = "" } = parseRequestEventId(eventId) ?? {};
    const key = requestKey(name, sessionId);
    return this.#running.get(key) ?? this.#done.get(key);
  }

  /** Returns the requests of a session that are running. */
  runningOf(sessionId: string): OpenRequest[] {
    return [...this.#keysOf.get(sessionId) ?? []].flatMap((key) =>
      this.#running.get(key) ?? []
    );
  }

  /** Forgets all requests of a session; returns their keys. */
  forgetSession(sessionId: string): string[] {
    const keys = [...this.#keysOf.get(sessionId) ?? []];
    for (const key of keys) {
      this.#running.delete(key);
      this.#done.delete(key);
    }
    this.#keysOf.delete(sessionId);
    return keys;
  }

  /** The sessions that have requests. */
  sessions(): string[] {
    return [...this.#keysOf.keys()];
  }

  /** The sessions with a running request. */
  sessionsInUse(): Set<string> {
    const running = [...this.#running.values()];
    return new Set(running.map(({ sessionId }) => sessionId));
  }

  /**
   * Records that a response is complete.
   *
   * @param request The request, which may have been forgotten.
   * @param now The current time.
   * @param maxDone Beyond this number, the oldest that are done are forgotten.
   */
  finish(request: OpenRequest, now: number, maxDone: number): void {
    const { key, sessionId } = request;
    this.forget(request);
    // What the transport holds is released.
    const done = { key, sessionId, doneAt: now };
    this.#done.set(key, done);
    this.#oldest.push(done);
    this.#addKey(done);
    while (this.#oldest.size > maxDone) this.#forgetOldest();
  }

  /**
   * Forgets the requests that have been done for this long; returns their keys.
   */
  expire(now: number, maxAgeMs: number): string[] {
    const expired: string[] = [];
    for (
      let oldest = this.#oldest.peek();
      oldest !== undefined && now - oldest.doneAt >= maxAgeMs;
      oldest = this.#oldest.peek()
    ) {
      this.#forgetOldest();
      expired.push(oldest.key);
    }
    return expired;
  }

  /** Forgets a request. */
  forget({ key, sessionId }: OpenRequest | DoneRequest): void {
    this.#running.delete(key);
    this.#done.delete(key);
    const keys = this.#keysOf.get(sessionId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(sessionId);
  }

  #forgetOldest(): void {
    const oldest = this.#oldest.shift();
    if (oldest !== undefined) this.forget(oldest);
  }

  #addKey({ key, sessionId }: OpenRequest | DoneRequest): void {
    const keys = this.#keysOf.get(sessionId);
    if (keys === undefined) this.#keysOf.set(sessionId, new Set([key]));
    else keys.add(key);
  }
}
