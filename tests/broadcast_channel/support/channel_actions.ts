/**
 * What goes on beside the node, on its own channels and on others. It runs in the
 * node's thread, and sees the channels that are opened after it was made.
 */
export class ChannelActions {
  readonly #opened: Set<string> = new Set();
  readonly #Channel = globalThis.BroadcastChannel;
  readonly #listening: BroadcastChannel[] = [];
  readonly #heard: unknown[] = [];
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

  /** Listens to channels, as somebody else who uses their names. */
  startListening(names: readonly string[]): void {
    for (const name of names) {
      const channel = new this.#Channel(name);
      channel.onmessage = ({ data }) => void this.#heard.push(data);
      this.#listening.push(channel);
    }
  }

  /** Ends that; what was heard. */
  stopListening(): unknown[] {
    for (const channel of this.#listening.splice(0)) channel.close();
    return this.#heard.splice(0);
  }

  /** Posts something on a channel, as somebody else who uses its name. */
  async post(name: string, posted: readonly unknown[]): Promise<void> {
    const channel = new this.#Channel(name);
    for (const message of posted) channel.postMessage(message);
    // Deno before 2.8 loses what is posted just before a channel is closed.
    await new Promise((resolve) => setTimeout(resolve, 20));
    channel.close();
  }

  /** Posts bursts on channels that nobody listens to, until told to end. */
  startNoise(options: { burst?: number } = {}): void {
    const { burst = 1_000 } = options;
    const noise = { isOver: false, ended: Promise.resolve(0) };
    const make = async () => {
      const channel = new this.#Channel(crypto.randomUUID());
      let count = 0;
      while (!noise.isOver) {
        for (let left = burst; left > 0; left--) channel.postMessage(count++);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      channel.close();
      return count;
    };
    noise.ended = make();
    this.#noise = noise;
  }

  /** Ends that; how many messages there were. */
  async stopNoise(): Promise<number> {
    const noise = this.#noise!;
    noise.isOver = true;
    return await noise.ended;
  }
}
