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

/** The requests of a session, by key. */
interface SessionRequests {
  readonly running: Map<string, OpenRequest>;
  readonly done: Map<string, DoneRequest>;
}

/** The requests of this node: those that are running, and those that are done. */
export class RequestRegistry {
  readonly #sessions: Map<string, SessionRequests> = new Map();
  /** Those that are done, oldest first, with some that were forgotten. */
  readonly #oldest: FifoQueue<DoneRequest> = new FifoQueue();
  readonly #onForget: (key: string) => void;
  #runningCount = 0;

  /** @param onForget Called with the key of each request that is forgotten. */
  constructor(onForget: (key: string) => void) {
    this.#onForget = onForget;
  }

  /** How many requests are running. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** Whether there are none at all. */
  get isEmpty(): boolean {
    return this.#sessions.size === 0;
  }

  /** Adds a request that is running. */
  add(request: OpenRequest): void {
    const { key, sessionId } = request;
    let requests = this.#sessions.get(sessionId);
    if (requests === undefined) {
      requests = { running: new Map(), done: new Map() };
      this.#sessions.set(sessionId, requests);
    }
    requests.running.set(key, request);
    this.#runningCount++;
  }

  /** Returns whether a request is running. */
  isRunning({ key, sessionId }: OpenRequest): boolean {
    return this.#sessions.get(sessionId)?.running.has(key) === true;
  }

  /** Returns the request of a session that an event ID belongs to. */
  get(
    sessionId: string,
    eventId: string,
  ): OpenRequest | DoneRequest | undefined {
    const requests = this.#sessions.get(sessionId);
    if (requests === undefined) return undefined;
    const { name = "" } = parseRequestEventId(eventId) ?? {};
    const key = requestKey(name, sessionId);
    return requests.running.get(key) ?? requests.done.get(key);
  }

  /** Returns the requests of a session that are running. */
  runningOf(sessionId: string): OpenRequest[] {
    return [...this.#sessions.get(sessionId)?.running.values() ?? []];
  }

  /** Forgets all requests of a session; returns their keys. */
  forgetSession(sessionId: string): string[] {
    const { running, done } = this.#sessions.get(sessionId) ?? {};
    const keys = [...running?.keys() ?? [], ...done?.keys() ?? []];
    for (const key of keys) this.forget({ key, sessionId });
    return keys;
  }

  /** The sessions that have requests. */
  sessions(): string[] {
    return [...this.#sessions.keys()];
  }

  /** The sessions with a running request. */
  sessionsInUse(): string[] {
    return [...this.#sessions].flatMap(([id, { running }]) =>
      running.size > 0 ? id : []
    );
  }

  /**
   * Records that the response to a running request is complete.
   *
   * @param request The request.
   * @param now The current time.
   * @param maxDone Beyond this number, the oldest that are done are forgotten.
   */
  finish(request: OpenRequest, now: number, maxDone: number): void {
    const { key, sessionId } = request;
    const requests = this.#sessions.get(sessionId);
    if (!requests?.running.delete(key)) return;
    this.#runningCount--;
    // What the transport holds is released.
    const done = { key, sessionId, doneAt: now };
    requests.done.set(key, done);
    this.#oldest.push(done);
    while (this.#oldest.size > maxDone) this.#forgetOldest();
  }

  /** Forgets the requests that have been done for this long. */
  expire(now: number, maxAgeMs: number): void {
    for (
      let oldest = this.#oldest.peek();
      oldest !== undefined && now - oldest.doneAt >= maxAgeMs;
      oldest = this.#oldest.peek()
    ) {
      this.#forgetOldest();
    }
  }

  /** Forgets a request. */
  forget({ key, sessionId }: Pick<DoneRequest, "key" | "sessionId">): void {
    const requests = this.#sessions.get(sessionId);
    if (requests === undefined) return;
    const { running, done } = requests;
    if (running.delete(key)) this.#runningCount--;
    else if (!done.delete(key)) return;
    if (running.size + done.size === 0) this.#sessions.delete(sessionId);
    this.#onForget(key);
  }

  #forgetOldest(): void {
    const oldest = this.#oldest.shift();
    if (oldest !== undefined) this.forget(oldest);
  }
}
