import { ClusterError } from "../../errors.ts";

/**
 * The beginning of error replies that are temporary, also inside the error of a
 * script.
 */
const TRANSIENT_REPLY =
  /(?:^|[ :]-)(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|BUSY|NOREPLICAS|MISCONF|UNKILLABLE)\b/;
/** The beginning of any error reply. */
const REPLY = /^-?[A-Z][A-Z0-9]+ /;
/** The errors of clients in subscriber mode. */
const SUBSCRIBER_MODE =
  /allowed in this context|(?:subscri(?:ber|ption)|pub\/?sub) mode/i;

/**
 * Returns whether a command failed because the server is unavailable or cannot
 * work now.
 */
export function isTransientError(error: unknown): boolean {
  // It is neither the server's error nor the connection's.
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (error instanceof ClusterError) return false;
  const message = messageOf(error);
  return TRANSIENT_REPLY.test(message) ||
    !REPLY.test(message) && !SUBSCRIBER_MODE.test(message);
}

/**
 * Returns whether a client refuses commands because it is in subscriber mode.
 */
export function isSubscriberModeError(error: unknown): boolean {
  const message = messageOf(error);
  return SUBSCRIBER_MODE.test(message) && !isDeniedError(error);
}

/**
 * Returns whether the server denies a command to the user, also in a script:
 * releases 6.2 and 7.0 say "The user executing the script can't run …".
 */
export function isDeniedError(error: unknown): boolean {
  return /NOPERM|ACL failure|executing the script/.test(messageOf(error));
}

/** Returns the message of an error. */
export function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null)?.message ?? error);
}
