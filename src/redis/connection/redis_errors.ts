import { ClusterError } from "../../errors.ts";

/** What a reply begins with that says: not now; in a script's error, the inner one. */
const NOT_NOW =
  /(?:^|[ :]-)(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|BUSY|NOREPLICAS|MISCONF|UNKILLABLE)\b/;
/** What any reply begins with that is an error. */
const REPLY = /^-?[A-Z][A-Z0-9]+ /;
/** What clients say that subscribe, and can do nothing else. */
const SUBSCRIBES =
  /allowed in this context|(?:subscri(?:ber|ption)|pub\/?sub) mode/i;

/** Whether a command failed because the server cannot be reached, or cannot work now. */
export function isOutage(error: unknown): boolean {
  // Neither the server's nor the connection's.
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (error instanceof ClusterError) return false;
  const message = messageOf(error);
  return NOT_NOW.test(message) ||
    !REPLY.test(message) && !SUBSCRIBES.test(message);
}

/** Whether a client refuses to do anything because it subscribes. */
export function subscribes(error: unknown): boolean {
  const message = messageOf(error);
  return SUBSCRIBES.test(message) && !message.includes("NOPERM");
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null)?.message ?? error);
}
