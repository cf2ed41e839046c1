/**
 * The errors of this package. Each has a `code` that stays the same from release
 * to release: compare that one where two copies of the package may be loaded.
 *
 * @module
 */
import { formatValue } from "./runtime/describe.ts";

/** An argument or an option is not what it has to be. Nothing was changed. */
export class InvalidArgumentError extends TypeError {
  /** Stays the same from release to release. */
  readonly code = "ERR_INVALID_ARGUMENT" as const;
  /** Name of the argument or option, for example `"streams.maxSessions"`. */
  readonly argument: string;

  /**
   * Makes the error.
   *
   * @param argument Name of the argument or option.
   * @param message What is wrong and what to do.
   * @param options `cause`, where another error led here.
   */
  constructor(argument: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InvalidArgumentError";
    this.argument = argument;
  }
}

/** Nothing is stored under this session id: it never was, or it is gone. */
export class SessionNotFoundError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_SESSION_NOT_FOUND" as const;
  /** The id that was asked for. */
  readonly sessionId: string;

  /**
   * Makes the error.
   *
   * @param sessionId The id that was asked for.
   * @param wanted What was looked for, for example `"client info"`.
   */
  constructor(sessionId: string, wanted: string) {
    super(
      `No ${wanted} is stored for session ${formatValue(sessionId)}. ` +
        "The session may have ended; the client has to initialize a new one.",
    );
    this.name = "SessionNotFoundError";
    this.sessionId = sessionId;
  }
}

/** No more sessions fit. */
export class SessionLimitError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_SESSION_LIMIT" as const;
  /** The limit that is reached. */
  readonly maxSessions: number;

  /**
   * Makes the error.
   *
   * @param maxSessions The limit that is reached.
   */
  constructor(maxSessions: number) {
    super(
      `All ${maxSessions} sessions are taken. ` +
        'Try again later, or raise the option "maxSessions".',
    );
    this.name = "SessionLimitError";
    this.maxSessions = maxSessions;
  }
}

/** The manager was closed, or a stream gave way to a newer one. */
export class ClosedError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_CLOSED" as const;

  /**
   * Makes the error.
   *
   * @param message What is closed, and what to do.
   */
  constructor(message: string) {
    super(message);
    this.name = "ClosedError";
  }
}

/** What a {@linkcode DeliveryError} is about. */
export interface DeliveryErrorOptions {
  /** What the stream or subscription threw. */
  readonly cause?: unknown;
  /** The session, where a stream failed. */
  readonly sessionId?: string | undefined;
  /** The subscription, where one failed. */
  readonly subscription?: { id: string | number; origin: string } | undefined;
}

/**
 * A stream or subscription took no more data and was removed, or did not take all
 * of it before it was closed. Handed to `onError`.
 */
export class DeliveryError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_DELIVERY" as const;
  /** The session, where a stream failed. */
  readonly sessionId: string | undefined;
  /** The subscription, where one failed. */
  readonly subscription: { id: string | number; origin: string } | undefined;

  /**
   * Makes the error.
   *
   * @param message What happened.
   * @param options What it is about, and what led here.
   */
  constructor(message: string, options: DeliveryErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "DeliveryError";
    this.sessionId = options.sessionId;
    this.subscription = options.subscription;
  }
}

/** What a {@linkcode ClusterError} is about. */
export interface ClusterErrorOptions {
  /** What the message bus threw. */
  readonly cause?: unknown;
  /** The other node. */
  readonly node?: string | undefined;
}

/**
 * Other nodes cannot be reached, or what they sent was lost. Handed to `onError`;
 * the cluster goes on, and finds its way back by itself.
 */
export class ClusterError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_CLUSTER" as const;
  /** The other node, where it is about one. */
  readonly node: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What happened.
   * @param options What it is about, and what led here.
   */
  constructor(message: string, options: ClusterErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "ClusterError";
    this.node = options.node;
  }
}
