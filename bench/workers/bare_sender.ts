/** How many batches may be unacknowledged. */
const WINDOW = 16;

/** Posts batches, as long as not too many are unacknowledged. */
export class BareSender {
  readonly #batches: BroadcastChannel;
  readonly #acks: BroadcastChannel;
  #unacknowledged = 0;
  #wake: () => void = () => {};

  /**
   * @param name The channel.
   * @param readers How many acknowledge each batch.
   */
  constructor(name: string, readers: number) {
    this.#batches = new BroadcastChannel(name);
    this.#acks = new BroadcastChannel(`${name}-acks`);
    this.#acks.onmessage = () => {
      this.#unacknowledged -= 1 / readers;
      this.#wake();
    };
  }

  async send(texts: string[]): Promise<void> {
    while (this.#unacknowledged >= WINDOW) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#unacknowledged++;
    this.#batches.postMessage(texts);
  }

  close(): void {
    this.#batches.close();
    this.#acks.close();
  }
}
