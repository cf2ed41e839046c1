/**
 * The errors of this package. Each has a `code` that never changes: compare it
 * if two copies of the package may be loaded.
 *
 * @module
 */
import { formatValue } from "./format_value.ts";

/** An argument or option is invalid. Nothing was changed. */
export class InvalidArgumentError extends TypeError {
  /** The code of this error; it never changes. */
  readonly code = "ERR_INVALID_ARGUMENT" as const;
  /**
   * The name of the argument or option, for example `"streams.maxSessions"`.
   */
  readonly argument: string;

  /**
   * Creates the error.
   *
   * @param argument The name of the argument or option.
   * @param message What is wrong, what is expected, and what to do.
   * @param options `cause`, if another error caused this one.
   */
  constructor(argument: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InvalidArgumentError";
    this.argument = argument;
  }
}

/**
 * Nothing is stored for a session: it never existed, expired or was deleted.
 */
export class SessionNotFoundError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_SESSION_NOT_FOUND" as const;
  /** The session ID. */
  readonly sessionId: string;

  /**
   * Creates the error.
   *
   * @param sessionId The session ID.
   * @param wanted What was requested, for example `"client info"`.
   */
  constructor(sessionId: string, wanted: string) {
    super(
      `No ${wanted} is stored for session ${formatValue(sessionId)}. ` +
        "The session may have ended; its client must initialize a new one.",
    );
    this.name = "SessionNotFoundError";
    this.sessionId = sessionId;
  }
}

/** The maximum number of sessions is reached. */
export class SessionLimitError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_SESSION_LIMIT" as const;
  /** The limit. */
  readonly maxSessions: number;

  /**
   * Creates the error.
   *
   * @param maxSessions The limit.
   */
  constructor(maxSessions: number) {
    super(
      `The limit of ${maxSessions} sessions is reached. ` +
        'Try again later, or raise the option "maxSessions".',
    );
    this.name = "SessionLimitError";
    this.maxSessions = maxSessions;
  }
}

/** A client exceeds a limit, or what it sends does. Nothing was changed. */
export class LimitError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_LIMIT" as const;
  /**
   * The option with the limit, as in the options of a `…Sessions` object, for
   * example `"info.maxUriBytes"`.
   */
  readonly option: string;
  /** The limit. */
  readonly limit: number;

  /**
   * Creates the error.
   *
   * @param option The option with the limit.
   * @param limit The limit.
   * @param message What exceeds the limit.
   */
  constructor(option: string, limit: number, message: string) {
    super(
      `${message} The limit is ${limit}. ` +
        `Raise the option "${option}" if clients need more.`,
    );
    this.name = "LimitError";
    this.option = option;
    this.limit = limit;
  }
}

/** The manager was closed, or a stream was replaced by a newer one. */
export class ClosedError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_CLOSED" as const;

  /**
   * Creates the error.
   *
   * @param message What is closed, and what to do.
   */
  constructor(message: string) {
    super(message);
    this.name = "ClosedError";
  }
}

/** The details of a {@linkcode DeliveryError}. */
export interface DeliveryErrorOptions {
  /** The error of the stream or subscription. */
  readonly cause?: unknown;
  /** The session ID, if a stream failed. */
  readonly sessionId?: string | undefined;
  /** The subscription, if one failed. */
  readonly subscription?: { id: string | number; origin: string } | undefined;
}

/**
 * A stream or subscription failed and was removed, or was closed before
 * everything was delivered. Passed to `onError`.
 */
export class DeliveryError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_DELIVERY" as const;
  /** The session ID, if a stream failed. */
  readonly sessionId: string | undefined;
  /** The subscription, if one failed. */
  readonly subscription: { id: string | number; origin: string } | undefined;

  /**
   * Creates the error.
   *
   * @param message What happened.
   * @param options The details.
   */
  constructor(message: string, options: DeliveryErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "DeliveryError";
    this.sessionId = options.sessionId;
    this.subscription = options.subscription;
  }
}

/** The details of a {@linkcode ClusterError}. */
export interface ClusterErrorOptions {
  /** The error of the message bus. */
  readonly cause?: unknown;
  /** The name of the other node. */
  readonly node?: string | undefined;
}

/**
 * Other nodes are unavailable, or messages between nodes were lost. Passed to
 * `onError`. The cluster continues, and recovers by itself.
 */
export class ClusterError extends Error {
  /** The code of this error; it never changes. */
  readonly code = "ERR_CLUSTER" as const;
  /** The name of the other node, if the error is about one. */
  readonly node: string | undefined;

  /**
   * Creates the error.
   *
   * @param message What happened.
   * @param options The details.
   */
  constructor(message: string, options: ClusterErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "ClusterError";
    this.node = options.node;
  }
}
