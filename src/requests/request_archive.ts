/** What is stored of the response to a request. */
export interface ArchivedEvents {
  /** The frames after the last event that the client received, with IDs. */
  readonly frames: readonly string[];
  /** Whether frames between that event and the first of these were dropped. */
  readonly hasGap: boolean;
  /** Whether the last frame is the end of the response. */
  readonly isComplete: boolean;
}

/**
 * Keeps the events of requests where they outlive their node. This is a port,
 * for backends with a shared store.
 */
export interface RequestArchive {
  /**
   * Stores an event.
   *
   * @param key The key of the request.
   * @param eventId The ID of the event.
   * @param frame The frame, with this ID.
   */
  append(key: string, eventId: string, frame: string): void;
  /**
   * Records that no event of a request will follow: its response is complete,
   * or has failed.
   */
  end(key: string, isComplete: boolean): void;
  /**
   * Returns what follows an event of a request; undefined if nothing is stored.
   * An unavailable store counts as empty.
   */
  read(key: string, lastEventId: string): Promise<ArchivedEvents | undefined>;
}
