import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { EventReader, type OnEvent } from "./load_events.ts";
import type { DisconnectKind, Outcome, Pace } from "./load_commands.ts";

/** Read buffers by size, shared by all connections. */
const buffers = new Map<number, Buffer>();
const LAST_CHUNK = "0\r\n\r\n";

/** A client that reads at a given pace. */
export class LoadClient {
  readonly events: EventReader;
  outcome: Outcome = "open";
  /** Whether the first bytes have arrived. The pace applies from then on. */
  isConnected = false;
  readonly #socket: ReturnType<typeof connect>;
  readonly #paceMs: number;
  #everyMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tail = "";

  /**
   * Connects and requests a stream.
   *
   * @param port Port of the server.
   * @param id The session ID.
   * @param pace How fast to read.
   * @param onEvent Called for each event.
   */
  constructor(
    port: number,
    id: string,
    { bytes, everyMs }: Pace,
    onEvent: OnEvent,
  ) {
    this.events = new EventReader(onEvent);
    this.#paceMs = everyMs;
    const buffer = buffers.get(bytes) ?? Buffer.alloc(bytes);
    buffers.set(bytes, buffer);
    const onread = {
      buffer,
      // Returning false pauses the socket until `resume`, which causes
      // backpressure.
      callback: (length: number) => {
        this.#read(buffer.toString("latin1", 0, length));
        return this.#everyMs === 0;
      },
    };
    this.#socket = connect({ port, host: "127.0.0.1", onread });
    this.#socket.on("error", () => {});
    this.#socket.once("close", () => {
      clearInterval(this.#timer);
      this.outcome = this.#tail === LAST_CHUNK ? "complete" : "aborted";
    });
    this.#socket.write(`GET /${id} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  }

  /** Changes the interval between reads. */
  setPace(everyMs: number): void {
    this.#everyMs = everyMs;
    clearInterval(this.#timer);
    if (everyMs === 0) this.#socket.resume();
    else if (everyMs > 0) {
      this.#timer = setInterval(() => this.#socket.resume(), everyMs);
    }
  }

  /** Disconnects. */
  disconnect(how: DisconnectKind): void {
    clearInterval(this.#timer);
    if (how === "end") this.#socket.end();
    else if (how === "destroy") this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #read(text: string): void {
    this.#tail = (this.#tail + text).slice(-LAST_CHUNK.length);
    this.events.read(text);
    if (this.isConnected || !text.includes(": connected")) return;
    this.isConnected = true;
    this.setPace(this.#paceMs);
  }
}
