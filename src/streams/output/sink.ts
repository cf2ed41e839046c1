/**
 * Where a stream writes to, instead of its Web Stream: the connection to a
 * client, which knows what it has not sent. This is a port, for servers with
 * such connections. Methods do nothing after the connection was closed.
 */
export interface StreamSink {
  /** How many bytes were written and not sent. */
  readonly queuedBytes: number;
  /** Writes bytes. */
  write(bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Ends the response when everything was sent.
   *
   * @param timeoutMs After this time, the connection is closed anyway.
   */
  end(timeoutMs: number): void;
  /** Closes the connection. What was not sent is lost. */
  destroy(): void;
}
