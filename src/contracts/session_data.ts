/** Stores a value of your own for each session, beside its metadata. */
export interface SessionData {
  /**
   * Returns the value of a session, as a copy; undefined if it has none.
   *
   * @param id The session ID.
   */
  getData(id: string): Promise<unknown>;

  /**
   * Stores a value for a session. It replaces the earlier one, and is deleted
   * with the session. Every node can read it when the promise resolves.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param data A value that is serializable as JSON, up to `info.maxDataBytes`
   * [65,536] long; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid, or the
   * value is too large. As a rejected promise. The stored value is kept.
   */
  setData(id: string, data: unknown): void | Promise<void>;
}
