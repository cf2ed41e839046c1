import {
  closeController,
  isByteController,
  replaceController,
} from "../controllers.ts";
import type { StreamSink } from "./sink.ts";

/**
 * How long the connection of a stream that was replaced may take to send the
 * rest, in milliseconds. Its client is usually gone.
 */
const REPLACED_TIMEOUT_MS = 1_000;

interface Connection {
  readonly sink: StreamSink;
  /** Whether bytes are written to the sink. */
  isOpen: boolean;
}

/**
 * What a stream writes to: the controller of its Web Stream, or the connection
 * itself, once it has a {@linkcode StreamSink}.
 */
export abstract class StreamOutput {
  /** The controller of the stream. */
  readonly controller: ReadableStreamDefaultController;
  /** The `desiredSize` of the controller when everything was read. */
  #capacity: number;
  /** One field, because there is one for each session. */
  #connection: Connection | undefined;

  /** @param controller The controller of the stream. */
  constructor(controller: ReadableStreamDefaultController) {
    this.controller = controller;
    this.#capacity = controller.desiredSize ?? 0;
  }

  /** The `desiredSize` of the controller when everything was read. */
  protected get capacity(): number {
    return this.#capacity;
  }

  /** How much is unread or unsent: bytes, or the unit of the Web Stream. */
  protected get queuedSize(): number {
    if (this.#connection !== undefined) {
      return this.#connection.sink.queuedBytes;
    }
    const size = this.controller.desiredSize;
    if (size === this.#capacity) return 0;
    // A failed stream holds nothing.
    if (size === null) return 0;
    if (size < this.#capacity) return this.#capacity - size;
    this.#capacity = size;
    return 0;
  }

  /**
   * Writes bytes.
   *
   * @throws If the stream was closed, errored or cancelled.
   */
  protected put(bytes: Uint8Array<ArrayBuffer>): void {
    const { controller } = this;
    if (this.#connection?.isOpen) this.#connection.sink.write(bytes);
    // A byte stream transfers the buffer, so each needs its own copy.
    else if (isByteController(controller)) controller.enqueue(bytes.slice());
    else controller.enqueue(bytes);
  }

  /** Writes to a sink from now on. */
  useSink(sink: StreamSink): void {
    this.#connection = { sink, isOpen: true };
  }

  /** Called when the Web Stream has ended: writing throws from now on. */
  closeSink(): void {
    if (this.#connection !== undefined) this.#connection.isOpen = false;
  }

  /**
   * Ends the stream. What it holds can still be read.
   *
   * @param timeoutMs A connection that takes longer is closed.
   */
  end(timeoutMs: number): void {
    this.#connection?.sink.end(timeoutMs);
    closeController(this.controller);
  }

  /** Ends the stream with an error, if it has not been read to its end. */
  abort(reason: Error): void {
    this.#connection?.sink.destroy();
    this.controller.error(reason);
  }

  /** Ends the stream because its session has a newer one. */
  endReplaced(id: string): void {
    this.#connection?.sink.end(REPLACED_TIMEOUT_MS);
    replaceController(this.controller, id);
  }
}
