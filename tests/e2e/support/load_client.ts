import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { EventReader, type OnEvent } from "./load_events.ts";
import type { DisconnectKind, Outcome, Pace } from "./load_commands.ts";

/** Where connections put what they read, one after the other. */
const buffers = new Map<number, Buffer>();
const LAST_CHUNK = "0\r\n\r\n";

/** A client that reads at a pace of its own. */
export class LoadClient {
  readonly events: EventReader;
  outcome: Outcome = "open";
  /** Whether the stream has begun. Only then the client keeps its pace. */
  isConnected = false;
  readonly #socket: ReturnType<typeof connect>;
  readonly #paceMs: number;
  #everyMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tail = "";

  /**
   * Connects, and asks for a stream.
   *
   * @param port Where.
   * @param id Of which session.
   * @param pace How to read.
   * @param onEvent Told of each event.
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
      // After false, nothing is read until `resume`: the other side has to wait.
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

  /** Changes how often it reads. */
  setPace(everyMs: number): void {
    this.#everyMs = everyMs;
    clearInterval(this.#timer);
    if (everyMs === 0) this.#socket.resume();
    else if (everyMs > 0) {
      this.#timer = setInterval(() => this.#socket.resume(), everyMs);
    }
  }

  /** Goes. */
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
