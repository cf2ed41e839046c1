/**
 * Estimates the time of the server, in microseconds, also while it is
 * unavailable. The clock of this machine does not matter, only how much time has
 * passed.
 */
export class ServerClock {
  /** The server's time when this process started. */
  #origin: number | undefined;

  /** Records the server's time, as it was a moment ago. */
  set(time: number): void {
    this.#origin = time - elapsed();
  }

  /** Returns the time; 0 if the server was never available. */
  now(): number {
    return this.#origin === undefined ? 0 : this.#origin + elapsed();
  }
}

/** Returns how long this process has been running, in microseconds. */
function elapsed(): number {
  return Math.round(performance.now() * 1_000);
}
