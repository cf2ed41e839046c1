/** Options of a request. */
export interface RequestOptions {
  /**
   * The nodes to ask.
   *
   * @default undefined all others
   */
  readonly nodes?: readonly string[] | undefined;
  /**
   * The session that the request is about: only its witnesses are asked.
   *
   * @default undefined all others are
   */
  readonly session?: string | undefined;
  /**
   * How much longer than `requestTimeoutMs` to wait, in milliseconds.
   *
   * @default 0
   */
  readonly extraTimeoutMs?: number | undefined;
  /**
   * Returns whether a response makes the others unnecessary.
   *
   * @default undefined all nodes must respond
   */
  readonly isSufficient?: ((response: unknown) => boolean) | undefined;
}
