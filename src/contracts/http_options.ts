/** Options of the guard. */
export interface HttpOptions {
  /**
   * How long the JSON body of a POST request may be, in bytes. The response to
   * a longer one is 413, and nothing of it reaches the transport; `Infinity`
   * for no limit.
   *
   * @default 4_194_304
   */
  readonly maxBodyBytes?: number | undefined;
  /**
   * How many requests of one session may be open at once on a node, until the
   * end of their response. Further ones get 503; notifications and responses
   * pass.
   *
   * @default 64 In one process without `streams.replay`, where counting them
   * makes each POST slower, they are only limited if this option is set.
   */
  readonly maxRequestsPerSession?: number | undefined;
  /**
   * How many POST requests without a session a principal may have open at once on
   * a node, for example `subscriptions/listen`. Further ones get 429. Requests
   * without a principal are not limited by it.
   *
   * @default 1_000
   */
  readonly maxStreamsPerPrincipal?: number | undefined;
  /**
   * How many sessions a principal may begin in a second, on a node. A further
   * `initialize` gets 429. Requests without a principal are not limited by it.
   *
   * @default 100
   */
  readonly maxNewSessionsPerSecond?: number | undefined;
  /**
   * How long the guard waits for a body that it has to read, in milliseconds.
   * Afterwards the response is 408. Bodies that only the transport reads are up
   * to the HTTP server.
   *
   * @default 60_000
   */
  readonly bodyTimeoutMs?: number | undefined;
}
