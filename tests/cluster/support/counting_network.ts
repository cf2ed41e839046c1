import type { MessageBus } from "@crossmcp/session-manager/cluster";

/** Messages that were published, and how many copies arrived. */
export interface MessageCounts {
  readonly heartbeats: number;
  /** All other messages. */
  readonly others: number;
  readonly deliveries: number;
}

/**
 * A network within this process that loses nothing, and counts messages.
 * Messages arrive at the end of a turn of the event loop.
 */
export class CountingNetwork {
  readonly #receivers: Map<string, (text: string) => void> = new Map();
  readonly #queue: (() => void)[] = [];
  #heartbeats = 0;
  #others = 0;
  #deliveries = 0;

  /** Creates the bus of one node. */
  bus(): MessageBus {
    let name = "";
    return {
      start: (node, receive) => {
        name = node;
        this.#receivers.set(node, receive);
      },
      publish: (text, to) => this.#publish(name, text, to),
      close: () => void this.#receivers.delete(name),
    };
  }

  /** Returns what was counted since the last call. */
  take(): MessageCounts {
    const counts = {
      heartbeats: this.#heartbeats,
      others: this.#others,
      deliveries: this.#deliveries,
    };
    this.#heartbeats = this.#others = this.#deliveries = 0;
    return counts;
  }

  #publish(from: string, text: string, to: string | undefined): void {
    if (text.includes('"kind":"heartbeat"')) this.#heartbeats++;
    else this.#others++;
    const names = to === undefined ? this.#receivers.keys() : [to];
    for (const name of names) {
      const receive = this.#receivers.get(name);
      if (name === from || receive === undefined) continue;
      this.#deliveries++;
      const arrive = () => {
        if (this.#receivers.get(name) === receive) receive(text);
      };
      if (this.#queue.push(arrive) === 1) setImmediate(() => this.#arrive());
    }
  }

  #arrive(): void {
    for (const arrive of this.#queue.splice(0)) arrive();
  }
}
