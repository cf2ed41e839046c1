/**
 * Everyone whose stream was created through the view of one transport, see
 * `Sessions.forTransport`.
 */
export interface TransportStreams {
  /** The name of the transport. */
  readonly transport: string;
}

/** Whom a frame is sent to: sessions, or everyone (`undefined`). */
export type SendTarget = readonly string[] | TransportStreams | undefined;

/** The same as it is stored: one session, several, or everyone. */
export type Recipients =
  | string
  | ReadonlySet<string>
  | TransportStreams
  | undefined;

/** Returns whether a frame is for everyone of one transport. */
export function isForTransport(
  recipients: Recipients | SendTarget,
): recipients is TransportStreams {
  return typeof recipients === "object" && "transport" in recipients;
}

/** Returns whether a frame is for everyone, or everyone of one transport. */
export function isBroadcast(
  target: SendTarget,
): target is TransportStreams | undefined {
  return target === undefined || isForTransport(target);
}

/** The recipients of a frame for no sessions. */
export const NOBODY: ReadonlySet<string> = new Set();

/** Returns how the target of a frame is stored. */
export function recipientsOf(target: SendTarget): Recipients {
  if (target === undefined || isForTransport(target)) return target;
  if (target.length === 0) return NOBODY;
  const [only] = target.length === 1 ? target : [];
  // A value that is not a string is no session ID, and must not mean everyone.
  return typeof only === "string" ? only : new Set(target);
}
