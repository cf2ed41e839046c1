import type { ResetReason } from "../contracts/options.ts";

/** What is known of a stream before its `create`. */
export interface StreamIntent {
  /**
   * What the client got last, from its `Last-Event-ID`: the stream starts with
   * what it has missed since.
   *
   * @default undefined the stream starts with what is sent from now on
   */
  readonly lastEventId?: string | undefined;
  /**
   * The position when the session began, as {@linkcode
   * InMemoryStreamSessionManager.position} told it: what was sent to everyone
   * before is not for this session.
   *
   * @default undefined everything that is kept
   */
  readonly startEventId?: string | undefined;
  /**
   * Whether the stream starts with an event that tells the client its position, so
   * that it can come back even if it gets no other. It has no data. Clients of MCP
   * 2025-11-25 expect such an event (Transports, "Listening for Messages from the
   * Server"); for earlier ones use `"named"`: they do not, but ignore events of a
   * name that they do not know, and note the id.
   *
   * @default false
   */
  readonly prime?: boolean | "named" | undefined;
  /**
   * Whether it holds until it is taken back, also for more than one `create`.
   *
   * @default false it holds for the next one
   */
  readonly persistent?: boolean | undefined;
}

/** What a manager that has several nodes knows besides. */
export interface PendingStream extends StreamIntent {
  /** What the client has missed, where this node does not keep that itself. */
  readonly missed?: {
    readonly frames: readonly string[];
    /** How many of them the client was away for. */
    readonly count: number;
    /** The id of the newest event then. */
    readonly position: string;
  } | undefined;
  /** Why the client cannot be given all that it missed, if that is known. */
  readonly reset?: ResetReason | undefined;
  /** Whether it only keeps a place, for a stream that is there already. */
  readonly isPlaceholder?: boolean | undefined;
}

/**
 * The streams that are about to be created. Those of one session may come in
 * another order than they were expected in; the latest one is the one that stays,
 * so a request's own stays until it was answered.
 */
export class PendingStreams {
  readonly #pending: Map<string, PendingStream[]> = new Map();

  /** Adds one; the result takes it back, whether it came or not. */
  add(id: string, expected: PendingStream): () => void {
    const ofSession = this.#pending.get(id);
    if (ofSession === undefined) this.#pending.set(id, [expected]);
    else ofSession.push(expected);
    return () => this.#remove(id, expected);
  }

  /** The latest one of a session, which stays expected. */
  peek(id: string): PendingStream | undefined {
    return this.#pending.get(id)?.at(-1);
  }

  /** The latest one of a session, which is expected no longer unless it stays. */
  take(id: string): PendingStream | undefined {
    const latest = this.#pending.get(id)?.at(-1);
    if (latest !== undefined && !latest.persistent) this.#remove(id, latest);
    return latest;
  }

  /** The sessions for which one is expected. */
  ids(): IterableIterator<string> {
    return this.#pending.keys();
  }

  #remove(id: string, expected: PendingStream): void {
    const ofSession = this.#pending.get(id);
    const at = ofSession?.indexOf(expected) ?? -1;
    if (ofSession === undefined || at < 0) return;
    ofSession.splice(at, 1);
    if (ofSession.length === 0) this.#pending.delete(id);
  }
}
