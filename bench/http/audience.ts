import { connect, type OnReadOpts, type Socket } from "node:net";
import { EventCounter } from "./event_counter.ts";

/** How many connect at a time. */
const AT_ONCE = 50;

/** Where all connections put what they read, one after the other. */
const buffer = new Uint8Array(256 * 1_024);

/** The numbers of the first and the last event that came in one piece, and when. */
export type Arrival = [first: number, last: number, at: number];

/**
 * The clients of one server, as cheap as they can be: sockets without HTTP or
 * streams, which all read into one buffer.
 */
export class Audience {
  /** How many events have arrived, on all connections together. */
  received = 0;
  /** When events arrived, if that is wanted. */
  arrivals: Arrival[] | undefined;
  readonly #counters: EventCounter[] = [];
  readonly #sockets: Socket[] = [];
  readonly #onError: (error: Error) => void;

  /** @param onError Told when a connection gets what it should not, or breaks. */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  /** Opens connections, until there are so many, and asks each for a stream. */
  async connect(port: number, connections: number): Promise<void> {
    while (this.#sockets.length < connections) {
      const left = connections - this.#sockets.length;
      await Promise.all(
        Array.from(
          { length: Math.min(AT_ONCE, left) },
          () => this.#connectOne(port),
        ),
      );
    }
  }

  /** @throws {Error} Unless every connection got every event. */
  check(events: number): void {
    const wrong = this.#counters.filter((counter) => counter.events !== events);
    if (wrong.length > 0) {
      throw new Error(
        `${wrong.length} connections did not get ${events} events; one ` +
          `got ${wrong[0]!.events}.`,
      );
    }
  }

  /** Breaks off all connections. */
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
