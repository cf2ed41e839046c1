const DATE = /^\d{4}-\d\d-\d\d$/;
/** The first revision without sessions. */
const PER_REQUEST_SINCE = "2026-07-28";
/** The revision that introduced the priming event without data. */
const PRIMED_SINCE = "2025-11-25";

/**
 * Returns whether a revision has no sessions. A version that is not a date may
 * be of any revision, and must follow the session rules.
 *
 * @param version The `MCP-Protocol-Version` header.
 */
export function isPerRequest(version: string | null): boolean {
  return isSince(PER_REQUEST_SINCE, version);
}

/**
 * Returns whether clients of a revision expect a priming event without data.
 *
 * @param version The `MCP-Protocol-Version` header.
 */
export function isPrimed(version: string | null): boolean {
  return isSince(PRIMED_SINCE, version);
}

function isSince(first: string, version: string | null): boolean {
  return version !== null && DATE.test(version) && version >= first;
}
