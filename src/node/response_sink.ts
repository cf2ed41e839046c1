import type { StreamSink } from "../streams/output/sink.ts";
import type { NodeResponse } from "./node_types.ts";

/** A timer that doesn't keep the process alive. */
type Timer = { unref?: () => void };

/** The connection of a response of Node, as a stream writes to it. */
export class ResponseSink implements StreamSink {
  readonly #response: NodeResponse;
  /** What a middleware holds, which the response doesn't count. */
  #heldBytes = 0;

  /** @param response The response. */
  constructor(response: NodeResponse) {
    this.#response = response;
    if (this.#hasMiddleware) {
      response.on("drain", () => this.#heldBytes = 0);
    }
  }

  get queuedBytes(): number {
    return this.#response.writableLength + this.#heldBytes;
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#response.writableEnded) return;
    const hasCapacity = this.#response.write(bytes);
    if (this.#hasMiddleware && (!hasCapacity || this.#heldBytes > 0)) {
      this.#heldBytes += bytes.length;
    }
  }

  end(timeoutMs: number): void {
    this.#response.end();
    if (timeoutMs === Infinity || this.#isSent) return;
    const timer = setTimeout(() => this.destroy(), timeoutMs);
    (timer as Timer).unref?.();
    this.#response.on("close", () => clearTimeout(timer));
  }

  destroy(): void {
    // Afterwards the connection may belong to another request.
    if (!this.#isSent) this.#response.destroy();
  }

  /** Whether something like `compression` is between us and the response. */
  get #hasMiddleware(): boolean {
    return this.#response.flush !== undefined;
  }

  get #isSent(): boolean {
    const { writableEnded, writableFinished } = this.#response;
    return writableFinished ||
      writableEnded && !this.#hasMiddleware && this.queuedBytes === 0;
  }
}
