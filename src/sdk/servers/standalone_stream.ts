import type { StreamSessionManager } from "../../contracts/stream_session_manager.ts";
import { readFrames } from "../../requests/frame_reader.ts";

/** How many frames are held for the first stream of a session. */
const MAX_HELD = 100;
/** How long to wait for the first stream, in milliseconds. */
const MAX_WAIT_MS = 10_000;
/** How often to look for it, in milliseconds. */
const POLL_MS = 50;

/**
 * Reads what a server sends on its own, and sends it to the stream of its
 * session. A client opens its stream when it has initialized, but a server may
 * have something to say before: that is held until the client has a stream, or
 * for some time.
 */
export class StandaloneStream {
  readonly #recipients: string[];
  readonly #streams: StreamSessionManager;
  readonly #report: (error: Error) => void;
  /** Undefined when frames are sent at once. */
  #held: string[] | undefined = [];

  constructor(
    sessionId: string,
    streams: StreamSessionManager,
    report: (error: Error) => void,
  ) {
    this.#recipients = [sessionId];
    this.#streams = streams;
    this.#report = report;
  }

  /** Reads a stream to its end. */
  read(body: ReadableStream<Uint8Array>): void {
    readFrames(body, (frame) => {
      // Streams have their own keep-alive comments.
      if (!frame.startsWith(":")) this.#onFrame(frame);
    }).catch(this.#report).finally(() => this.#sendHeld());
  }

  #onFrame(frame: string): void {
    const held = this.#held;
    if (held === undefined) return void this.#send(frame);
    held.push(frame);
    if (held.length === 1) void this.#waitForStream();
    else if (held.length > MAX_HELD) this.#sendHeld();
  }

  async #waitForStream(): Promise<void> {
    const end = Date.now() + MAX_WAIT_MS;
    while (this.#held !== undefined && Date.now() < end) {
      if (await this.#hasStream()) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#sendHeld();
  }

  async #hasStream(): Promise<boolean> {
    try {
      return await this.#streams.has(this.#recipients[0]!);
    } catch {
      // Nobody can tell at the moment.
      return false;
    }
  }

  #sendHeld(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of held) void this.#send(frame);
  }

  async #send(frame: string): Promise<void> {
    try {
      await this.#streams.send(this.#recipients, frame);
    } catch (error) {
      this.#report(error as Error);
    }
  }
}
