import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import type { TimeLimit } from "../runtime/deadline.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { ResetReason } from "./options.ts";
import type { RefusalReason } from "./refusal_reason.ts";
import type { Sessions } from "./sessions.ts";

/** A request of a client that the server of a session answers. */
export interface HostedCall {
  readonly session: string;
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | undefined;
  readonly principal?: string | undefined;
  /** What else is known of the caller, serializable as JSON. */
  readonly caller?: unknown;
}

/** Holds the servers of sessions, each on one node. */
export interface SessionHost {
  /**
   * Answers a request of another node; undefined if the server is not here, and
   * the request was not looked at.
   */
  answer(call: HostedCall): Promise<Response | undefined>;
  /** Returns whether the server of a session is here, and stays. */
  hosts(id: string): boolean;
  /** Called when another node has the server of a session. */
  onHostedElsewhere(id: string): void;
  /** Ends all servers: the sessions were closed. */
  onClose(): Promise<void>;
}

/** What became of a request that was handed to another node. */
export type HostedResult =
  | {
    readonly response: Response;
    /** Whether its whole body is here, so that it can't be interrupted. */
    readonly isComplete: boolean;
  }
  /** That node does not have the server, and has not started. */
  | { readonly failure: "refused" }
  /** That node is gone: before it started, or afterwards. */
  | { readonly failure: "unstarted" | "interrupted" };

/** Which node has the server of a session. This is a port, for several nodes. */
export interface SharedHosting {
  /**
   * Returns the node that has the server of a session, if it is alive and
   * another one.
   */
  findHost(id: string): Promise<string | undefined>;
  /**
   * Makes this node the host of a session.
   *
   * @returns Whether it is. Another one may have become it at the same time.
   */
  claim(id: string): Promise<boolean>;
  /** Returns whether this node is the host of a session. */
  isHost(id: string): Promise<boolean>;
  /** Hands a request to another node. */
  forward(node: string, call: HostedCall): Promise<HostedResult>;
}

/** What is needed to create the server of a session again. */
export interface StoredSession {
  /** The parameters of its `initialize` request, as JSON. */
  readonly initialize: string;
  readonly subscriptions: readonly string[];
}

/** An event of a stream that a transport of the user owns. */
export interface StoredEvent {
  readonly id: string;
  /** One line. */
  readonly data: string;
}

/** The events of a stream that a client has missed, or why they are unavailable. */
export type ReplayedEvents =
  | { readonly streamId: string; readonly events: readonly StoredEvent[] }
  | ResetReason;

/** Stores the events of streams that transports of the user own. */
export interface EventStorage {
  /**
   * Stores an event. Never rejects: if a shared store is unavailable, the event
   * is stored on this node.
   *
   * @param sessionId The session.
   * @param streamId The stream, any string.
   * @param data One line.
   * @returns The ID of the event. It is newer than those before it.
   */
  append(sessionId: string, streamId: string, data: string): Promise<string>;
  /**
   * Returns the stream of an event, and what followed it there, in order;
   * `"unknown"` if the session has no such ID.
   *
   * @throws {ClusterError} If the shared store is unavailable.
   */
  after(sessionId: string, eventId: string): Promise<ReplayedEvents>;
}

/**
 * What a {@linkcode SessionHost} and instruments need to know about sessions,
 * beyond the public API.
 */
export interface SessionHosting {
  /** Runs periodic work. */
  readonly scheduler: Scheduler;
  /** How long an unused session is kept, in milliseconds. */
  readonly idleTimeoutMs: number;
  /**
   * Whether responses that are event streams are kept for clients that
   * disconnect. Their connections have keep-alive comments then.
   */
  readonly keepsResponses: boolean;
  /** How long a JSON body may be, in bytes. */
  readonly maxBodyBytes: number;
  /** Waits for bodies, but not for ever. */
  readonly bodies: TimeLimit;
  /** The hosts of other nodes; undefined in one process. */
  readonly shared: SharedHosting | undefined;
  /** Stores events of streams; undefined without replay. */
  readonly events: EventStorage | undefined;
  /** Returns whether a session exists. Does not count as use of it. */
  isSession(id: string): Promise<boolean>;
  /** Returns whether a session exists and belongs to a principal. */
  belongsTo(id: string, principal: string | undefined): Promise<boolean>;
  /** Returns whether requests of a session are being answered here. */
  isBusy(id: string): boolean;
  /**
   * Passes on the event stream with which another node answers a request of a
   * session. If that node dies, what it had stored follows, and an error.
   *
   * @param id The session ID.
   * @param requestId The ID of the request's message, if it has one.
   * @param body The stream; undefined if the node is gone already.
   * @returns A stream that does not fail; undefined if there is nothing to say.
   */
  passOn(
    id: string,
    requestId: string | number | undefined,
    body: ReadableStream<Uint8Array> | undefined,
  ): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Stores the parameters of an `initialize` request, as JSON. */
  store(id: string, initialize: string): Promise<void>;
  /** Returns what is stored of a session; undefined without `initialize`. */
  load(id: string): Promise<StoredSession | undefined>;
  /**
   * Calls a listener with each notification that is sent on any node, in the
   * order of each sender. The result removes the listener, which must not throw.
   */
  listen(listener: (notification: JSONRPCNotification) => void): () => void;
  /**
   * Calls a listener with how long each session has lasted that ends on this node,
   * in milliseconds. Sessions whose beginning is unknown are left out. The result
   * removes the listener, which must not throw.
   */
  listenForDurations(listener: (durationMs: number) => void): () => void;
  /** Reports an error to `onError`. */
  report(error: Error): void;
  /** Tells `onRefuse` of a refusal that is not the guard's. */
  onRefuse(reason: RefusalReason, principal: string | undefined): void;
  /**
   * Sets the host. There can be one.
   *
   * @returns Whether there was none.
   */
  setHost(host: SessionHost): boolean;
}

const hostings = new WeakMap<Sessions, SessionHosting>();

/** Sets what {@linkcode assertHosting} returns. Each backend calls it. */
export function setHosting(sessions: Sessions, hosting: SessionHosting): void {
  hostings.set(sessions, hosting);
}

/**
 * Returns the hosting of sessions.
 *
 * @throws {InvalidArgumentError} If the sessions are not from this package.
 */
export function assertHosting(sessions: unknown): SessionHosting {
  const isObject = typeof sessions === "object" && sessions !== null;
  const hosting = isObject ? hostings.get(sessions as Sessions) : undefined;
  if (hosting !== undefined) return hosting;
  throw new InvalidArgumentError(
    "sessions",
    `"sessions" must be sessions of this package, such as ` +
      `InMemorySessions or RedisSessions, but got ${formatValue(sessions)}.`,
  );
}
