/** A session that this node owns. */
export interface OwnedSession {
  /** When it was claimed, in microseconds; unknown until Redis has replied. */
  claimToken: number | undefined;
  /** Whether Redis knows of the claim. */
  isConfirmed: boolean;
  isDetached: boolean;
  /** When another node claimed it. */
  replacedAt: number;
}

/** Creates a session whose claim is in progress. */
export function newOwnedSession(): OwnedSession {
  return {
    claimToken: undefined,
    isConfirmed: false,
    isDetached: false,
    replacedAt: 0,
  };
}

/**
 * Returns the state of a session, as the script KEEP takes it.
 *
 * @param session The session.
 * @param isBack Whether Redis may have lost it.
 */
export function stateOf(
  { isDetached, isConfirmed }: OwnedSession,
  isBack: boolean,
): string {
  if (!isConfirmed) return isDetached ? "P" : "A";
  if (!isDetached) return "a";
  return isBack ? "p" : "c";
}
