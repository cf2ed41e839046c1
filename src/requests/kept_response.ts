import type { ReplaySettings } from "../contracts/resolve_options.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import type { RequestArchive } from "./request_archive.ts";
import type { RequestStreams } from "./request_streams.ts";

/** The event streams of requests, and how long they are kept. */
export interface KeptStreams {
  readonly streams: RequestStreams;
  readonly limits: Pick<ReplaySettings, "maxEvents" | "maxAgeMs">;
  /** Where their events outlive this node, if anywhere. */
  readonly archive?: RequestArchive | undefined;
}

/**
 * The response to a request whose events are kept. Its frames are held until
 * the body is requested; what follows goes to the stream of the client.
 *
 * So a response that is complete by then, as that of most tools is, needs no
 * stream, which would take longer than all the rest.
 */
export class KeptResponse {
  readonly #key: string;
  readonly #kept: KeptStreams;
  /** The frames so far; undefined once they were handed out. */
  #held: string | undefined;

  /**
   * @param key The key of the request.
   * @param kept The streams of all requests.
   * @param prime The form of its first event.
   */
  constructor(key: string, kept: KeptStreams, prime: StreamIntent["prime"]) {
    this.#key = key;
    this.#kept = kept;
    this.#held = kept.streams.formatPriming(key, prime);
  }

  /** Sends a frame, and keeps it. */
  send(frame: string): void {
    const { streams, archive } = this.#kept;
    const isHeld = this.#held !== undefined;
    const event = streams.send(this.#key, frame, isHeld);
    if (isHeld) this.#held += event.frame;
    archive?.append(this.#key, event.id, event.frame);
  }

  /**
   * Returns what its client receives. To be called once.
   *
   * @param isOver Whether nothing follows.
   */
  takeBody(isOver: boolean): string | ReadableStream<Uint8Array> {
    const held = this.#held ?? "";
    this.#held = undefined;
    return isOver ? held : this.#kept.streams.open(this.#key, held);
  }

  /**
   * Ends it.
   *
   * @param isComplete Whether a later node may say so, too.
   */
  end(isComplete: boolean): void {
    this.#kept.streams.end(this.#key);
    this.#kept.archive?.end(this.#key, isComplete);
  }
}
