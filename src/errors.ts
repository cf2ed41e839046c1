/**
 * The errors of this package. Each has a `code` that stays the same from release
 * to release: compare that one where two copies of the package may be loaded.
 *
 * @module
 */

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
      `No ${wanted} is stored for session ${JSON.stringify(sessionId)}. ` +
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

/**
 * A stream or subscription took no more data and was removed. Handed to
 * `onError`; the `cause` says why.
 */
export class DeliveryError extends Error {
  /** Stays the same from release to release. */
  readonly code = "ERR_DELIVERY" as const;

  /**
   * Makes the error.
   *
   * @param message What was removed.
   * @param options `cause`: what the stream or subscription threw.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeliveryError";
  }
}
