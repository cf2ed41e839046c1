import { connect, type OnReadOpts, type Socket } from "node:net";
import { EventCounter } from "./event_counter.ts";

/** The number of simultaneous connection attempts. */
const MAX_PENDING = 50;

/** The shared read buffer of all connections. */
const buffer = new Uint8Array(256 * 1_024);

/** The numbers of the first and last event of a chunk, and its time of arrival. */
export type Arrival = [first: number, last: number, at: number];

/**
 * The clients of one server, as cheap as possible: sockets without HTTP or
 * streams that all read into one buffer.
 */
export class Clients {
  /** The number of events received on all connections together. */
  received = 0;
  /** The arrivals of events, while they are recorded. */
  arrivals: Arrival[] | undefined;
  readonly #counters: EventCounter[] = [];
  readonly #sockets: Socket[] = [];
  readonly #onError: (error: Error) => void;

  /**
   * @param onError Called when a connection receives something unexpected, or
   * breaks.
   */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  /** Opens connections up to a number, and requests a stream on each. */
  async connect(port: number, connections: number): Promise<void> {
    while (this.#sockets.length < connections) {
      const left = connections - this.#sockets.length;
      await Promise.all(
        Array.from(
          { length: Math.min(MAX_PENDING, left) },
          () => this.#connectOne(port),
        ),
      );
    }
  }

  /** @throws {Error} If a connection did not get every event. */
  check(events: number): void {
    const wrong = this.#counters.filter((counter) => counter.events !== events);
    if (wrong.length > 0) {
      throw new Error(
        `${wrong.length} connections did not get ${events} events; one ` +
          `got ${wrong[0]!.events}.`,
      );
    }
  }

  /** Destroys all connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connectOne(port: number): Promise<void> {
    const counter = new EventCounter();
    const onread: OnReadOpts = {
      buffer,
      callback: (length, bytes) => {
        const before = counter.events;
        try {
          counter.read(bytes, length);
        } catch (error) {
          this.#onError(error as Error);
        }
        this.received += counter.events - before;
        const { arrivals } = this;
        if (arrivals !== undefined && counter.events > before) {
          arrivals.push([before + 1, counter.events, performance.now()]);
        }
        return true;
      },
    };
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", onread }, resolve);
      socket.once("error", this.#onError);
      socket.write("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
      this.#counters.push(counter);
      this.#sockets.push(socket);
    });
  }
}
