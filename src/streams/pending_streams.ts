import type { ResetReason } from "../contracts/options.ts";
import type { SinkableStream } from "./output/sink_handover.ts";

/** What is known of a stream before it is created. */
export interface StreamIntent {
  /**
   * The last event that the client received, from its `Last-Event-ID` header.
   * The stream starts with the events after it.
   *
   * @default undefined the stream starts with events that are sent from now on
   */
  readonly lastEventId?: string | undefined;
  /**
   * The newest event when the session began: the value of
   * {@linkcode InMemoryStreamSessionManager.latestEventId} at that time.
   * Earlier broadcasts are not for this session.
   *
   * @default undefined all stored events
   */
  readonly startEventId?: string | undefined;
  /**
   * Whether the stream starts with a priming event: one with an ID and without
   * data, so that the client can resume even if it receives nothing else.
   * Clients of MCP 2025-11-25 expect it (Transports, "Listening for Messages
   * from the Server"). For clients of earlier revisions, use `"named"`: they
   * store the ID of an event whose name they don't know, and ignore it
   * otherwise.
   *
   * @default false
   */
  readonly prime?: boolean | "named" | undefined;
  /**
   * Whether this applies until it is revoked, even to several calls of
   * `create`.
   *
   * @default false it applies to the next call
   */
  readonly persistent?: boolean | undefined;
}

/** What the package itself adds. */
export interface PendingStream extends StreamIntent {
  /** The transport that the stream belongs to, see `Sessions.forTransport`. */
  readonly transport?: string | undefined;
  /** Called with the stream when it is attached. */
  readonly onAttach?: ((stream: SinkableStream) => void) | undefined;
  /** The events that the client has missed, if they are stored elsewhere. */
  readonly missed?: {
    readonly frames: readonly string[];
    /** How many of them were sent while the client was disconnected. */
    readonly count: number;
    /** The ID of the newest event at that time. */
    readonly position: string;
  } | undefined;
  /** Why the missed events are unavailable, if that is already known. */
  readonly reset?: ResetReason | undefined;
  /** Whether this only reserves a slot, for a stream that already exists. */
  readonly isPlaceholder?: boolean | undefined;
}

/**
 * Streams that are about to be created. Those of one session may arrive in a
 * different order than their requests. The latest intent decides, so each
 * request keeps its own until it is answered.
 */
export class PendingStreams {
  readonly #pending: Map<string, PendingStream[]> = new Map();

  /**
   * Adds an intent. The result revokes it, whether the stream was created or
   * not.
   */
  add(id: string, intent: PendingStream): () => void {
    const intents = this.#pending.get(id);
    if (intents === undefined) this.#pending.set(id, [intent]);
    // A request that arrived before the slot was reserved still has its intent.
    else if (intent.isPlaceholder) intents.unshift(intent);
    else intents.push(intent);
    return () => this.#remove(id, intent);
  }

  /** Returns the latest intent of a session and keeps it. */
  peek(id: string): PendingStream | undefined {
    return this.#pending.get(id)?.at(-1);
  }

  /**
   * Returns the latest intent of a session, and removes it unless it is
   * persistent.
   */
  take(id: string): PendingStream | undefined {
    const latest = this.#pending.get(id)?.at(-1);
    if (latest !== undefined && !latest.persistent) this.#remove(id, latest);
    return latest;
  }

  /** The sessions with a pending stream. */
  ids(): IterableIterator<string> {
    return this.#pending.keys();
  }

  #remove(id: string, intent: PendingStream): void {
    const intents = this.#pending.get(id);
    const at = intents?.indexOf(intent) ?? -1;
    if (intents === undefined || at < 0) return;
    intents.splice(at, 1);
    if (intents.length === 0) this.#pending.delete(id);
  }
}
