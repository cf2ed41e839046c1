import { SessionLimitError } from "../../errors.ts";
import { tooManySessions } from "../../metadata/principal_index.ts";
import { tooManySubscriptions } from "../../metadata/resource_subscriptions.ts";

/** What Redis keeps, and for how long. */
export interface MetadataLimits {
  /** How long an unused session is kept, in milliseconds. */
  readonly ttlMs: number;
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  readonly maxSubscriptionsPerSession: number;
}

/** Returns a limit as an argument of the scripts; 0 for none. */
export function limitArgument(limit: number): string {
  return limit === Infinity ? "0" : String(limit);
}

/** Returns all limits as arguments of the scripts, in their order. */
export function limitArguments(limits: MetadataLimits): string[] {
  return [
    String(limits.ttlMs),
    limitArgument(limits.maxSessions),
    limitArgument(limits.maxSubscriptionsPerSession),
    limitArgument(limits.maxSessionsPerPrincipal),
  ];
}

/**
 * Throws if too many subscriptions of a session are queued. While Redis is
 * unavailable, it can't count them.
 */
export function assertQueueable(queued: number, limits: MetadataLimits): void {
  const { maxSubscriptionsPerSession: max } = limits;
  if (queued >= max) throw tooManySubscriptions(max);
}

/** Throws if the script that writes a field has refused it. */
export function assertWritten(
  answer: string | undefined,
  limits: MetadataLimits,
): void {
  if (answer === "") throw new SessionLimitError(limits.maxSessions);
  if (answer !== "full") return;
  throw tooManySubscriptions(limits.maxSubscriptionsPerSession);
}

/** Returns the error of a session that was not registered. */
export function refusedRegistration(
  answer: string | undefined,
  limits: MetadataLimits,
): Error {
  return answer === "full"
    ? tooManySessions(limits.maxSessionsPerPrincipal)
    : new SessionLimitError(limits.maxSessions);
}
