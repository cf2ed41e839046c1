/** How long an echo may take, in heartbeats and in milliseconds. */
const MAX_HEARTBEATS = 2;
const MIN_TIMEOUT_MS = 250;
/** The same while the client is known to reconnect. */
const RECONNECT_MS = 5_000;

/**
 * Notices that a subscriber connection is dead although nobody has closed it: a
 * node receives its own heartbeats, too, unless its connection is silent.
 */
export class EchoCheck {
  readonly #timeoutMs: number;
  #sent = 0;
  /** The newest message that was sent when the last one was received. */
  #received = 0;
  /** Since when an echo is missing. */
  #missingSince: number | undefined;
  #ticks = 0;
  #isReconnecting = false;
  /** Whether the silence was reported. */
  wasReported = false;
  /** Whether nothing was received since an outage of the server. */
  isAfterOutage = false;

  /** @param heartbeatMs The time between two heartbeats, in milliseconds. */
  constructor(heartbeatMs: number) {
    this.#timeoutMs = Math.max(MIN_TIMEOUT_MS, MAX_HEARTBEATS * heartbeatMs);
  }

  /** Called before a message is published that this node receives, too. */
  onSend(): number {
    return ++this.#sent;
  }

  /**
   * Called when Redis has published such a message.
   *
   * @param message What `onSend` returned for it.
   * @param now The time, in milliseconds.
   */
  onPublished(message: number, now: number): void {
    if (message > this.#received) this.#missingSince ??= now;
  }

  /**
   * Called when anything was received. Returns whether the connection may be a
   * new one.
   */
  onReceived(): boolean {
    const isNew = this.#isReconnecting;
    this.#received = this.#sent;
    this.#isReconnecting = false;
    this.wasReported = false;
    this.isAfterOutage = false;
    this.#reset();
    return isNew;
  }

  /** Called when there may be no connection for a moment, or is a new one. */
  onReconnecting(): void {
    this.#isReconnecting = true;
    this.#reset();
  }

  /**
   * Called regularly. Returns whether the connection is silent.
   *
   * @param now The time, in milliseconds.
   */
  isSilent(now: number): boolean {
    if (this.#missingSince === undefined) return false;
    const timeoutMs = this.#isReconnecting
      ? Math.max(RECONNECT_MS, this.#timeoutMs)
      : this.#timeoutMs;
    // After the event loop was blocked, what has arrived meanwhile is read
    // first.
    return ++this.#ticks > 1 && now - this.#missingSince >= timeoutMs;
  }

  /** Returns whether the connection is silent for longer than a reconnect. */
  isOverdue(now: number): boolean {
    return this.#missingSince !== undefined &&
      now - this.#missingSince >= RECONNECT_MS;
  }

  #reset(): void {
    this.#missingSince = undefined;
    this.#ticks = 0;
  }
}
