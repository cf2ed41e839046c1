import type { PostRequest, RequestGate } from "../contracts/guarding.ts";
import { isEventStream } from "../protocol/sse.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";
import { Counts } from "../runtime/counts.ts";
import { nextTurn } from "../runtime/end_of_turn.ts";
import { forEachInSlices } from "../runtime/slice.ts";
import { AwaitedMessages } from "./awaited_messages.ts";
import { observedFrames, readFrames } from "./frame_reader.ts";
import { KeptResponse, type KeptStreams } from "./kept_response.ts";
import {
  type MessageId,
  type MessageTarget,
  requestIdOf,
  targetOf,
} from "./message_target.ts";
import { openRemoteStream } from "./remote_stream.ts";
import { failedRequest, formatFailedRequest } from "./request_error.ts";
import type {
  ForwardedMessage,
  LocalRequests,
  RemoteRequests,
  ResumeRequest,
} from "./remote_requests.ts";
import { requestKey } from "../replay/request_key.ts";
import {
  isFinalEventId,
  newKey,
  parseRequestEventId,
} from "./request_event_id.ts";
import { type OpenRequest, RequestRegistry } from "./request_registry.ts";

/** What {@linkcode OpenRequests} needs. */
export interface OpenRequestsParts {
  /** Undefined without replay: then responses end with their connection. */
  readonly kept: KeptStreams | undefined;
  /** The requests of other nodes, if there are several. */
  readonly remote: RemoteRequests | undefined;
  readonly maxRequestsPerSession: number;
  readonly scheduler: Scheduler;
  /** Returns whether a session exists. Does not count as use of it. */
  readonly isSession: (id: string) => boolean | Promise<boolean>;
  readonly onError: (error: Error) => void;
}

/** How often to look for sessions that have ended, in milliseconds. */
const CHECK_PERIOD_MS = 500;

/**
 * The requests of this node whose responses are event streams. With replay,
 * they go on when their client disconnects, and are kept for it until
 * `replay.maxAgeMs` after their end. With several nodes, messages of clients
 * are handed to the node that waits for them.
 */
export class OpenRequests implements RequestGate, LocalRequests, PeriodicTask {
  readonly periodMs: number;
  readonly isShared: boolean;
  readonly #parts: OpenRequestsParts;
  readonly #requests: RequestRegistry;
  /** How many requests of each session the transport works on. */
  readonly #counts = new Counts();

  constructor(parts: OpenRequestsParts) {
    this.#parts = parts;
    this.#requests = new RequestRegistry((key) =>
      parts.kept?.streams.forget(key)
    );
    this.isShared = parts.remote !== undefined;
    this.periodMs = Math.min(
      checkPeriodFor(parts.kept?.limits.maxAgeMs ?? Infinity),
      CHECK_PERIOD_MS,
    );
  }

  /** How many requests are being answered with an event stream. */
  get size(): number {
    return this.#requests.runningCount;
  }

  /** How many requests of a session are being answered with an event stream. */
  openCount(sessionId: string): number {
    return this.#requests.runningOf(sessionId).length;
  }

  /** Returns whether a transport works on requests of a session. */
  isBusy(sessionId: string): boolean {
    return this.#counts.get(sessionId) > 0;
  }

  isFull(sessionId: string): boolean {
    return this.#counts.get(sessionId) >= this.#parts.maxRequestsPerSession;
  }

  async respond(post: PostRequest): Promise<Response | null | undefined> {
    const { sessionId, message, body = "" } = post;
    const target = targetOf(message);
    if (target === undefined) return this.#open(post);
    const { request } = post;
    const local = this.#find(sessionId, target);
    if (local === undefined) {
      const forwarded = { sessionId, target, request, body };
      const response = await this.#parts.remote?.deliver(forwarded);
      // If nobody waits for it, the transport decides what that means.
      if (response !== undefined) return response;
    }
    local?.awaited.receive(target);
    // The message was received, even if its client disconnects now. `Deno.serve`
    // aborts the signal of every request that was answered.
    const { signal } = new AbortController();
    return post.respond(new Request(request, { signal }));
  }

  async resume(
    sessionId: string,
    lastEventId: string,
    prime: ResumeRequest["prime"],
  ): Promise<ReadableStream<Uint8Array> | null | undefined> {
    if (isFinalEventId(lastEventId)) return null;
    const request = { sessionId, lastEventId, prime };
    const local = this.resumeHere(request);
    const { remote, kept } = this.#parts;
    if (local !== undefined || remote === undefined) return local;
    const { requestId, name = "" } = parseRequestEventId(lastEventId) ?? {};
    const key = requestKey(name, sessionId);
    return openRemoteStream({
      body: await remote.resume(request),
      requestId,
      lastEventId,
      readArchive: async (id) => await kept?.archive?.read(key, id),
    });
  }

  /**
   * Passes on the event stream with which another node answers a request. If
   * that node dies, what it had stored follows, and an error.
   */
  async passOn(
    sessionId: string,
    requestId: MessageId | undefined,
    body: ReadableStream<Uint8Array> | undefined,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const { kept } = this.#parts;
    const readArchive = async (id: string) => {
      const { name } = parseRequestEventId(id) ?? {};
      if (name === undefined) return undefined;
      return await kept?.archive?.read(requestKey(name, sessionId), id);
    };
    const remote = { body, requestId, lastEventId: "", readArchive };
    return await openRemoteStream(remote) ?? undefined;
  }

  awaits(sessionId: string, target: MessageTarget): boolean {
    return this.#find(sessionId, target) !== undefined;
  }

  hasRequest(sessionId: string, eventId: string): boolean {
    return this.#requests.get(sessionId, eventId) !== undefined;
  }

  async deliver(
    { sessionId, target, request }: Omit<ForwardedMessage, "body">,
  ): Promise<Response | undefined> {
    const open = this.#find(sessionId, target);
    open?.awaited.receive(target);
    return await open?.respond(request) ?? undefined;
  }

  resumeHere(
    { sessionId, lastEventId, prime }: ResumeRequest,
  ): ReadableStream<Uint8Array> | null | undefined {
    const request = this.#requests.get(sessionId, lastEventId);
    const { kept } = this.#parts;
    if (request === undefined || kept === undefined) return undefined;
    const { key } = request;
    const isDone = "doneAt" in request;
    if (isDone && !kept.streams.hasMissed(key, lastEventId)) return null;
    const body = kept.streams.resume(key, { lastEventId, prime });
    if (isDone) kept.streams.end(key);
    return body;
  }

  endSession(sessionId: string): void {
    const running = this.#requests.runningOf(sessionId);
    for (const key of this.#requests.forgetSession(sessionId)) {
      this.#parts.kept?.streams.end(key);
    }
    for (const { abort } of running) abort.abort();
  }

  /** Ends all requests. */
  close(): void {
    for (const id of this.#requests.sessions()) this.endSession(id);
    this.#parts.scheduler.stop(this);
  }

  /** Forgets old requests, and ends those whose sessions have ended. */
  run(now: number): void {
    const { kept, scheduler } = this.#parts;
    if (kept !== undefined) {
      kept.streams.trim(now);
      this.#requests.expire(now, kept.limits.maxAgeMs);
    }
    const inUse = this.#requests.sessionsInUse();
    void forEachInSlices(inUse, (id) => void this.#checkSession(id));
    if (this.#requests.isEmpty) scheduler.stop(this);
  }

  async #checkSession(id: string): Promise<void> {
    try {
      if (!await this.#parts.isSession(id)) this.endSession(id);
    } catch {
      // Nobody can tell at the moment.
    }
  }

  /** Lets the transport answer a request, and observes its response. */
  async #open(
    { sessionId, request, respond, prime, message }: PostRequest,
  ): Promise<Response | null | undefined> {
    const { kept } = this.#parts;
    const abort = new AbortController();
    if (kept !== undefined) {
      // A client that disconnects does not cancel a request that is kept. A copy
      // with another signal would take more time than a small call.
      const { signal } = abort;
      const property = { value: signal, configurable: true };
      Object.defineProperty(request, "signal", property);
    }
    this.#counts.add(sessionId, 1);
    let isStream = false;
    try {
      const response = await respond(request);
      if (!response || !isEventStream(response) || !response.body) {
        return response;
      }
      isStream = true;
      const requestId = requestIdOf(message);
      const open: OpenRequest = {
        key: newKey(sessionId, requestId),
        sessionId,
        abort,
        respond,
        awaited: new AwaitedMessages(requestId),
      };
      this.#requests.add(open);
      this.#parts.scheduler.start(this);
      if (kept !== undefined) {
        const answer = new KeptResponse(open.key, kept, prime);
        const end = this.#readToEnd(open, response.body, requestId, answer);
        await Promise.race([end, nextTurn()]);
        const isOver = !this.#requests.isRunning(open);
        return new Response(answer.takeBody(isOver), initOf(response));
      }
      const body = observedFrames(
        response.body,
        (frame) => open.awaited.observe(frame),
        () => this.#onEnd(open),
        abort.signal,
      );
      return new Response(body, response);
    } finally {
      if (!isStream) this.#counts.add(sessionId, -1);
    }
  }

  /** Reads a response to its end, whether its client is connected or not. */
  async #readToEnd(
    open: OpenRequest,
    body: ReadableStream<Uint8Array>,
    requestId: MessageId | undefined,
    answer: KeptResponse,
  ): Promise<void> {
    const { abort, awaited, sessionId } = open;
    const send = (frame: string) => {
      if (abort.signal.aborted) return;
      awaited.observe(frame);
      answer.send(frame);
    };
    let hasResponse = true;
    try {
      await readFrames(body, send);
    } catch (error) {
      hasResponse = this.#requests.isRunning(open) && requestId !== undefined;
      if (this.#requests.isRunning(open)) {
        this.#parts.onError(failedRequest(sessionId, error));
      }
      if (hasResponse) send(formatFailedRequest(requestId!));
    }
    // Its session may have ended.
    const isComplete = hasResponse && this.#requests.isRunning(open);
    answer.end(isComplete);
    this.#counts.add(sessionId, -1);
    if (!isComplete) return this.#requests.forget(open);
    // Each has at least one event in the log.
    const { scheduler, kept } = this.#parts;
    this.#requests.finish(open, scheduler.now(), kept!.limits.maxEvents);
  }

  /** Called when a response that is not kept has ended. */
  #onEnd(open: OpenRequest): void {
    this.#requests.forget(open);
    this.#counts.add(open.sessionId, -1);
  }

  #find(sessionId: string, target: MessageTarget): OpenRequest | undefined {
    return this.#requests.runningOf(sessionId).find(({ awaited }) =>
      awaited.has(target)
    );
  }
}

/** To copy a whole response takes longer on Deno. */
function initOf({ status, statusText, headers }: Response): ResponseInit {
  return { status, statusText, headers };
}
