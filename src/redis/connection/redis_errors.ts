import { ClusterError } from "../../errors.ts";

/** What a reply begins with that says: not now; in a script's error, the inner one. */
const TRANSIENT_REPLY =
  /(?:^|[ :]-)(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|BUSY|NOREPLICAS|MISCONF|UNKILLABLE)\b/;
/** What any reply begins with that is an error. */
const REPLY = /^-?[A-Z][A-Z0-9]+ /;
/** What clients say that subscribe, and can do nothing else. */
const SUBSCRIBER_MODE =
  /allowed in this context|(?:subscri(?:ber|ption)|pub\/?sub) mode/i;

/** Whether a command failed because the server cannot be reached, or cannot work now. */
export function isTransientError(error: unknown): boolean {
  // Neither the server's nor the connection's.
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (error instanceof ClusterError) return false;
  const message = messageOf(error);
  return TRANSIENT_REPLY.test(message) ||
    !REPLY.test(message) && !SUBSCRIBER_MODE.test(message);
}

/** Whether a client refuses to do anything because it subscribes. */
export function isSubscriberModeError(error: unknown): boolean {
  const message = messageOf(error);
  return SUBSCRIBER_MODE.test(message) && !message.includes("NOPERM");
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null)?.message ?? error);
}
