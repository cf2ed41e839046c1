import { LruMap } from "../runtime/lru_map.ts";
import { isForTransport, type Recipients } from "./recipients.ts";
import { isRequestKey } from "./request_key.ts";

/**
 * Up to which offset events were trimmed, for broadcasts and for single
 * sessions. A session that was no recipient of a trimmed event has missed
 * nothing, no matter how long it was idle.
 */
export class LowWatermarks {
  readonly #trimmedUpTo: LruMap<string, number>;
  readonly #handedOffAt: LruMap<string, number>;
  /** The same, for events that were dropped before older ones of others. */
  readonly #droppedUpTo: LruMap<string, number>;
  #broadcastsTrimmedUpTo = 0;
  /** Only for broadcasts to the streams of one transport, by its name. */
  readonly #transportsTrimmedUpTo: Map<string, number> = new Map();
  /** Only for requests: broadcasts are not for them. */
  readonly #requestsTrimmedUpTo: LruMap<string, number>;
  #forgottenUpTo = 0;

  /** @param maxSessions How many sessions, and requests, are known. */
  constructor(maxSessions: number) {
    this.#trimmedUpTo = new LruMap(maxSessions);
    this.#handedOffAt = new LruMap(maxSessions);
    this.#droppedUpTo = new LruMap(maxSessions);
    this.#requestsTrimmedUpTo = new LruMap(maxSessions);
  }

  /** Records that the event at an offset was trimmed. */
  trim(recipients: Recipients, offset: number): void {
    if (recipients === undefined) {
      this.#broadcastsTrimmedUpTo = offset;
      // All watermarks of single sessions are lower than this one.
      this.#trimmedUpTo.clear();
      return;
    }
    if (typeof recipients === "string" && isRequestKey(recipients)) {
      this.#forgottenUpTo = Math.max(
        this.#forgottenUpTo,
        record(this.#requestsTrimmedUpTo, recipients, offset),
      );
      return;
    }
    if (isForTransport(recipients)) {
      this.#transportsTrimmedUpTo.set(recipients.transport, offset);
      return;
    }
    const sessions = typeof recipients === "string" ? [recipients] : recipients;
    for (const session of sessions) {
      this.#recordSession(this.#trimmedUpTo, session, offset);
    }
  }

  /**
   * Records that the event of a session or request was dropped, and older ones
   * of others were not.
   */
  drop(recipient: string, offset: number): void {
    if (isRequestKey(recipient)) this.trim(recipient, offset);
    else this.#recordSession(this.#droppedUpTo, recipient, offset);
  }

  /**
   * Records that a session moved to another node: its events up to this offset
   * are there.
   */
  markHandedOff(session: string, offset: number): void {
    this.#recordSession(this.#handedOffAt, session, offset);
  }

  /** The offset up to which a session was handed off; 0 if it never was. */
  handedOffAt(session: string): number {
    return this.#handedOffAt.get(session) ?? 0;
  }

  /** Forgets the watermark of a request. */
  forgetRequest(key: string): void {
    this.#requestsTrimmedUpTo.delete(key);
  }

  /**
   * Returns whether an event for a session may have been trimmed after an
   * offset.
   *
   * @param session The session.
   * @param transport The transport that its stream belongs to.
   * @param offset The offset.
   */
  isTrimmed(
    session: string,
    transport: string | undefined,
    offset: number,
  ): boolean {
    if (isRequestKey(session)) {
      return offset < this.#forgottenUpTo ||
        offset < (this.#requestsTrimmedUpTo.get(session) ?? 0);
    }
    return offset < this.#broadcastsTrimmedUpTo ||
      offset < (this.#transportsTrimmedUpTo.get(transport ?? "") ?? 0) ||
      offset < (this.#trimmedUpTo.get(session) ?? 0) ||
      offset < (this.#droppedUpTo.get(session) ?? 0) ||
      offset < this.handedOffAt(session);
  }

  #recordSession(
    watermarks: LruMap<string, number>,
    session: string,
    offset: number,
  ): void {
    this.#broadcastsTrimmedUpTo = Math.max(
      this.#broadcastsTrimmedUpTo,
      record(watermarks, session, offset),
    );
  }
}

/**
 * Records a watermark. Returns the one that was forgotten for it, which must
 * lead to a reset too many, never to a gap; 0 if there is none.
 */
function record(
  watermarks: LruMap<string, number>,
  recipient: string,
  offset: number,
): number {
  return watermarks.set(recipient, offset) ?? 0;
}
