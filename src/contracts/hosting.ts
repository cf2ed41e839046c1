import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { Sessions } from "./sessions.ts";

/** Holds the servers of sessions, each on one node. */
export interface SessionHost {
  /** Ends all servers: the sessions were closed. */
  onClose(): Promise<void>;
}

/**
 * What a {@linkcode SessionHost} needs to know about sessions, beyond the
 * public API.
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
  /** Returns whether a session exists. Does not count as use of it. */
  isSession(id: string): boolean | Promise<boolean>;
  /**
   * Calls a listener with each notification that is sent on any node, in the
   * order of each sender. The result removes the listener, which must not throw.
   */
  listen(listener: (notification: JSONRPCNotification) => void): () => void;
  /** Reports an error to `onError`. */
  report(error: Error): void;
  /**
   * Sets the host. There can be one.
   *
   * @returns Whether there was none.
   */
  setHost(host: SessionHost): boolean;
}

const hostings = new WeakMap<Sessions, SessionHosting>();

/** Sets what {@linkcode hostingOf} returns. Each backend calls it. */
export function setHosting(sessions: Sessions, hosting: SessionHosting): void {
  hostings.set(sessions, hosting);
}

/**
 * Returns the hosting of sessions; undefined for an implementation that is not
 * from this package.
 */
export function hostingOf(sessions: Sessions): SessionHosting | undefined {
  return hostings.get(sessions);
}
