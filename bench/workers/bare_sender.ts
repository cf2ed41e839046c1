/** The maximum number of unacknowledged batches. */
const WINDOW = 16;

/** Posts batches, with a limit on the number of unacknowledged ones. */
export class BareSender {
  readonly #batches: BroadcastChannel;
  readonly #acks: BroadcastChannel;
  #unacknowledged = 0;
  #wake: () => void = () => {};

  /**
   * @param name The name of the channel.
   * @param readers The number of acknowledgements for each batch.
   */
  constructor(name: string, readers: number) {
    this.#batches = new BroadcastChannel(name);
    this.#acks = new BroadcastChannel(`${name}-acks`);
    this.#acks.onmessage = () => {
      this.#unacknowledged -= 1 / readers;
      this.#wake();
    };
  }

  async send(frames: string[]): Promise<void> {
    while (this.#unacknowledged >= WINDOW) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#unacknowledged++;
    this.#batches.postMessage(frames);
  }

  close(): void {
    this.#batches.close();
    this.#acks.close();
  }
}
