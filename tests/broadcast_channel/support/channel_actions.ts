/**
 * Uses broadcast channels beside the node, in its thread: those of the node and
 * others. Sees the channels that are opened after it was created.
 */
export class ChannelActions {
  readonly #opened: Set<string> = new Set();
  readonly #Channel = globalThis.BroadcastChannel;
  readonly #listening: BroadcastChannel[] = [];
  readonly #received: unknown[] = [];
  #noise: { isOver: boolean; ended: Promise<number> } | undefined;

  constructor() {
    const opened = this.#opened;
    globalThis.BroadcastChannel = class extends this.#Channel {
      constructor(name: string) {
        super(name);
        opened.add(name);
      }
    };
  }

  /** The names of the channels that were opened. */
  names(): string[] {
    return [...this.#opened];
  }

  /**
   * Starts to record the messages of channels, as foreign code that uses their
   * names.
   */
  startListening(names: readonly string[]): void {
    for (const name of names) {
      const channel = new this.#Channel(name);
      channel.onmessage = ({ data }) => void this.#received.push(data);
      this.#listening.push(channel);
    }
  }

  /** Stops recording; returns the messages. */
  stopListening(): unknown[] {
    for (const channel of this.#listening.splice(0)) channel.close();
    return this.#received.splice(0);
  }

  /** Posts a message on a channel, as foreign code that uses its name. */
  async post(name: string, posted: readonly unknown[]): Promise<void> {
    const channel = new this.#Channel(name);
    for (const message of posted) channel.postMessage(message);
    // Deno before 2.8 loses what is posted just before a channel is closed.
    await new Promise((resolve) => setTimeout(resolve, 20));
    channel.close();
  }

  /**
   * Posts bursts of messages on channels without listeners, until it is
   * stopped.
   */
  startNoise(options: { burst?: number } = {}): void {
    const { burst = 1_000 } = options;
    const noise = { isOver: false, ended: Promise.resolve(0) };
    const make = async () => {
      const channel = new this.#Channel(crypto.randomUUID());
      let count = 0;
      while (!noise.isOver) {
        for (let left = burst; left > 0; left--) channel.postMessage(count++);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      channel.close();
      return count;
    };
    noise.ended = make();
    this.#noise = noise;
  }

  /** Stops posting; returns the number of messages. */
  async stopNoise(): Promise<number> {
    const noise = this.#noise!;
    noise.isOver = true;
    return await noise.ended;
  }
}
