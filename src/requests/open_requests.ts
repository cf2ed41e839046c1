import type { RequestGate, Respond } from "../contracts/guarding.ts";
import { DeliveryError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type { ReplaySettings } from "../contracts/resolve_options.ts";
import { newRequestKey, requestKey } from "../replay/request_key.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import { readFrames } from "./frame_reader.ts";
import { parseRequestEventId } from "./request_event_id.ts";
import type { RequestStreams } from "./request_streams.ts";

/** A request whose response is an event stream. */
interface OpenRequest {
  readonly key: string;
  readonly sessionId: string;
  /** Aborts what the transport does for it. */
  readonly abort: AbortController;
  /** When its response was complete; undefined before. */
  doneAt: number | undefined;
}

/** What {@linkcode OpenRequests} needs. */
export interface OpenRequestsParts {
  readonly streams: RequestStreams;
  readonly replay: Pick<ReplaySettings, "maxEvents" | "maxAgeMs">;
  readonly maxRequestsPerSession: number;
  readonly scheduler: Scheduler;
  /** Returns whether a session exists. Does not count as use of it. */
  readonly isSession: (id: string) => boolean | Promise<boolean>;
  readonly onError: (error: Error) => void;
}

/** How often to look for sessions that have ended, in milliseconds. */
const CHECK_PERIOD_MS = 500;

/**
 * The requests whose responses are event streams. They go on when their client
 * disconnects, and are kept for it until `replay.maxAgeMs` after their end.
 */
export class OpenRequests implements RequestGate, PeriodicTask {
  readonly periodMs: number;
  readonly #parts: OpenRequestsParts;
  readonly #running: Map<string, OpenRequest> = new Map();
  /** Those that are done, oldest first. */
  readonly #done: Map<string, OpenRequest> = new Map();
  /** Both, by session. */
  readonly #ofSession: Map<string, Set<OpenRequest>> = new Map();
  /** How many requests of each session the transport works on. */
  readonly #counts: Map<string, number> = new Map();

  constructor(parts: OpenRequestsParts) {
    this.#parts = parts;
    this.periodMs = Math.min(
      checkPeriodFor(parts.replay.maxAgeMs),
      CHECK_PERIOD_MS,
    );
  }

  /** How many requests are being answered with an event stream. */
  get size(): number {
    return this.#running.size;
  }

  isFull(sessionId: string): boolean {
    const count = this.#counts.get(sessionId) ?? 0;
    return count >= this.#parts.maxRequestsPerSession;
  }

  async respond(
    sessionId: string,
    request: Request,
    respond: Respond,
    prime: StreamIntent["prime"],
  ): Promise<Response | null | undefined> {
    const abort = new AbortController();
    this.#count(sessionId, 1);
    let isStream = false;
    try {
      // A client that disconnects does not cancel its request.
      const response = await respond(
        new Request(request, { signal: abort.signal }),
      );
      if (!response?.body || !isEventStream(response)) return response;
      isStream = true;
      const open = this.#add(sessionId, abort);
      const body = this.#parts.streams.connect(open.key, { prime });
      void this.#read(open, response.body);
      return new Response(body, response);
    } finally {
      if (!isStream) this.#count(sessionId, -1);
    }
  }

  resume(
    sessionId: string,
    lastEventId: string,
    prime: StreamIntent["prime"],
  ): ReadableStream<Uint8Array> | undefined {
    const { name = "" } = parseRequestEventId(lastEventId) ?? {};
    const key = requestKey(name, sessionId);
    const request = this.#running.get(key) ?? this.#done.get(key);
    if (request === undefined) return undefined;
    const { streams } = this.#parts;
    const body = streams.connect(key, { lastEventId, prime });
    if (request.doneAt !== undefined) streams.end(key);
    return body;
  }

  endSession(sessionId: string): void {
    for (const request of [...this.#ofSession.get(sessionId) ?? []]) {
      this.#end(request);
    }
  }

  /** Ends all requests. */
  close(): void {
    for (const id of [...this.#ofSession.keys()]) this.endSession(id);
    this.#parts.scheduler.stop(this);
  }

  /** Forgets old requests, and ends those whose sessions have ended. */
  run(now: number): void {
    const { replay, scheduler } = this.#parts;
    for (const request of this.#done.values()) {
      if (now - request.doneAt! < replay.maxAgeMs) break;
      this.#forget(request);
    }
    this.#parts.streams.trim(now);
    const sessions = new Set(
      [...this.#running.values()].map(({ sessionId }) => sessionId),
    );
    for (const id of sessions) void this.#checkSession(id);
    if (this.#running.size + this.#done.size === 0) scheduler.stop(this);
  }

  async #checkSession(id: string): Promise<void> {
    try {
      if (!await this.#parts.isSession(id)) this.endSession(id);
    } catch {
      // Nobody can tell at the moment.
    }
  }

  async #read(
    request: OpenRequest,
    body: ReadableStream<Uint8Array>,
  ): Promise<void> {
    const { streams, replay, scheduler, onError } = this.#parts;
    const { key, sessionId, abort } = request;
    let failure: unknown;
    try {
      await readFrames(body, (frame) => {
        if (!abort.signal.aborted) streams.send(key, frame);
      });
    } catch (error) {
      failure = error;
    }
    this.#count(sessionId, -1);
    // Its session has ended.
    if (!this.#running.delete(key)) return;
    streams.end(key);
    if (failure !== undefined) {
      // There is no response that its client could wait for.
      this.#forget(request);
      return onError(failedRequest(sessionId, failure));
    }
    request.doneAt = scheduler.now();
    this.#done.set(key, request);
    // Each has at least one event in the log.
    const [oldest] = this.#done.values();
    if (this.#done.size > replay.maxEvents) this.#forget(oldest!);
  }

  #add(sessionId: string, abort: AbortController): OpenRequest {
    const key = newRequestKey(sessionId);
    const request = { key, sessionId, abort, doneAt: undefined };
    this.#running.set(key, request);
    const others = this.#ofSession.get(sessionId);
    if (others === undefined) {
      this.#ofSession.set(sessionId, new Set([request]));
    } else others.add(request);
    this.#parts.scheduler.start(this);
    return request;
  }

  #end(request: OpenRequest): void {
    this.#forget(request);
    this.#parts.streams.end(request.key);
    request.abort.abort();
  }

  #forget(request: OpenRequest): void {
    const { key, sessionId } = request;
    this.#running.delete(key);
    this.#done.delete(key);
    const others = this.#ofSession.get(sessionId);
    others?.delete(request);
    if (others?.size === 0) this.#ofSession.delete(sessionId);
  }

  #count(sessionId: string, change: 1 | -1): void {
    const count = (this.#counts.get(sessionId) ?? 0) + change;
    if (count === 0) this.#counts.delete(sessionId);
    else this.#counts.set(sessionId, count);
  }
}

function failedRequest(sessionId: string, cause: unknown): DeliveryError {
  return new DeliveryError(
    "The transport failed to answer a request of session " +
      `${formatValue(sessionId)}.`,
    { sessionId, cause },
  );
}

function isEventStream({ headers }: Response): boolean {
  return (headers.get("content-type") ?? "").startsWith("text/event-stream");
}
