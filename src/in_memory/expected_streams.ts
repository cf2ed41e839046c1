/** What is known of a stream before its `create`. */
export interface StreamExpectation {
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
  readonly since?: string | undefined;
  /**
   * Whether the stream starts with an event without data that tells the client
   * its position, as MCP 2025-11-25 asks for (Transports, "Listening for Messages
   * from the Server"). Clients of earlier revisions may not expect one.
   *
   * @default false
   */
  readonly prime?: boolean | undefined;
}

interface Expected extends StreamExpectation {
  /** Whether it keeps a place free. */
  readonly isNew: boolean;
}

/** The streams that are about to be created, the next one of a session first. */
export class ExpectedStreams {
  readonly #expected: Map<string, Expected[]> = new Map();
  #reserved = 0;

  /** How many places are kept free. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Whether one is expected for a session. */
  has(id: string): boolean {
    return this.#expected.has(id);
  }

  /** Adds one; the result takes it back, if it did not come. */
  add(id: string, expected: Expected): () => void {
    const ofSession = this.#expected.get(id);
    if (ofSession === undefined) this.#expected.set(id, [expected]);
    else ofSession.push(expected);
    if (expected.isNew) this.#reserved++;
    return () => this.#remove(id, expected);
  }

  /** The next one of a session, which is expected no longer. */
  take(id: string): Expected | undefined {
    const next = this.#expected.get(id)?.[0];
    if (next !== undefined) this.#remove(id, next);
    return next;
  }

  #remove(id: string, expected: Expected): void {
    const ofSession = this.#expected.get(id);
    const at = ofSession?.indexOf(expected) ?? -1;
    if (ofSession === undefined || at < 0) return;
    ofSession.splice(at, 1);
    if (ofSession.length === 0) this.#expected.delete(id);
    if (expected.isNew) this.#reserved--;
  }
}
