import { endsSseFrame } from "../protocol/sse.ts";
import type { EvictionReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import type { StreamFailures } from "./stream_failures.ts";
import { FrameBatcher } from "./frame_batch.ts";
import type { BroadcastRecord } from "./fast_path/recent_broadcasts.ts";
import {
  isForTransport,
  type Recipients,
  type TransportStreams,
} from "../replay/recipients.ts";
import type { StreamRegistry } from "./stream_registry.ts";
import type { SessionStream } from "./session_stream.ts";
import type { Frame } from "./frame.ts";
import { atEndOfTurn } from "../runtime/end_of_turn.ts";

/** What a fan-out needs from the owner of the streams. */
export interface FanOutHost {
  /** The current time, in milliseconds. */
  now(): number;
  /** Removes a stream that threw. */
  fail(stream: SessionStream, cause: unknown, failures: StreamFailures): void;
  /** Evicts a slow reader. */
  evict(
    stream: SessionStream,
    reason: EvictionReason,
    failures: StreamFailures,
  ): void;
  /** Writes the pending frames of streams. */
  flush(streams: readonly SessionStream[]): void;
}

const encoder = new TextEncoder();

/**
 * Writes frames to streams: the first of a turn at once, the others at its end.
 */
export class FanOut {
  readonly #streams: StreamRegistry;
  readonly #settings: StreamSettings;
  readonly #host: FanOutHost;
  readonly #batcher = new FrameBatcher();
  /** Streams that must be flushed at the end of the turn. */
  #pending: SessionStream[] = [];
  #turn = 0;
  #isInTurn = false;
  #delivered = 0;

  constructor(
    streams: StreamRegistry,
    settings: StreamSettings,
    host: FanOutHost,
  ) {
    this.#streams = streams;
    this.#settings = settings;
    this.#host = host;
  }

  /** How many frames were written to streams. */
  get delivered(): number {
    return this.#delivered;
  }

  /**
   * Writes a frame.
   *
   * @param recipients Whose streams.
   * @param data The frame.
   * @param encoded Its bytes, if they were encoded before.
   * @param failures Collects the streams that fail.
   */
  send(
    recipients: Recipients,
    data: string,
    encoded: Uint8Array<ArrayBuffer> | undefined,
    failures: StreamFailures,
  ): void {
    if (recipients === undefined) {
      if (this.#streams.size === 0) return;
      this.#enqueueToAll(this.#frame(data, encoded, true), failures);
    } else if (typeof recipients === "string") {
      const stream = this.#streams.get(recipients);
      if (stream === undefined) return;
      this.#enqueue(stream, this.#frame(data, encoded), failures);
    } else if (isForTransport(recipients)) {
      if (this.#streams.size === 0) return;
      const frame = this.#frame(data, encoded);
      this.#enqueueToTransport(recipients, frame, failures);
    } else {
      let frame: Frame | undefined;
      for (const id of recipients) {
        const stream = this.#streams.get(id);
        if (stream === undefined) continue;
        frame ??= this.#frame(data, encoded);
        this.#enqueue(stream, frame, failures);
      }
    }
  }

  #frame(
    data: string,
    encoded = encoder.encode(data),
    isBroadcast = false,
  ): Frame {
    if (!this.#isInTurn) {
      this.#isInTurn = true;
      this.#turn = (this.#turn + 1) & 0x3fff_ffff;
      atEndOfTurn(() => this.#endTurn());
    }
    const { coalesce: canCoalesce } = this.#settings;
    const endsFrame = endsSseFrame(data);
    const turn = this.#turn;
    const now = this.#host.now();
    // Only the first frame of a turn can take the fast path. Of the others, each
    // stream decides whether to queue them.
    const isFirst = !canCoalesce ||
      this.#streams.fastPath.broadcasts.lastTurn !== turn;
    const broadcastSeq = isBroadcast && isFirst
      ? this.#record({ bytes: encoded.length, endsFrame, turn, now })
      : -1;
    return {
      bytes: encoded,
      endsFrame,
      turn,
      now,
      canCoalesce,
      broadcastSeq,
    };
  }

  /**
   * Records a broadcast, and returns its number. Refreshes all streams first if
   * there are too many records.
   */
  #record(broadcast: BroadcastRecord): number {
    const { broadcasts, maxUnreadBytes } = this.#streams.fastPath;
    if (!broadcasts.hasCapacity(broadcast.bytes, maxUnreadBytes)) {
      this.#streams.refresh(broadcast.now);
    }
    return broadcasts.add(broadcast);
  }

  #enqueueToAll(frame: Frame, failures: StreamFailures): void {
    const { slots, fastPath } = this.#streams;
    const { bytes, broadcastSeq } = frame;
    const isRecorded = broadcastSeq >= 0;
    // Streams can attach others while they are written to, which must not
    // extend this loop.
    const { length } = slots;
    let written = 0;
    for (let slot = 0; slot < length; slot++) {
      const controller = isRecorded ? fastPath.visit(slot) : undefined;
      if (controller === undefined) {
        const stream = slots[slot];
        if (stream !== undefined) this.#enqueue(stream, frame, failures);
        continue;
      }
      try {
        controller.enqueue(bytes);
        written++;
      } catch (cause) {
        const stream = slots[slot];
        // Writing may have run code that removed or replaced the stream.
        if (stream?.controller !== controller) continue;
        this.#host.fail(stream, cause, failures);
      }
    }
    fastPath.endBroadcast();
    this.#delivered += written;
  }

  /** Skips the fast path: its model knows only broadcasts to all streams. */
  #enqueueToTransport(
    { transport }: TransportStreams,
    frame: Frame,
    failures: StreamFailures,
  ): void {
    const { slots } = this.#streams;
    const { length } = slots;
    for (let slot = 0; slot < length; slot++) {
      const stream = slots[slot];
      if (stream?.transport !== transport) continue;
      this.#enqueue(stream, frame, failures);
    }
  }

  #enqueue(
    stream: SessionStream,
    frame: Frame,
    failures: StreamFailures,
  ): void {
    try {
      const result = stream.enqueue(frame, this.#batcher);
      if (result === "overflow") {
        return this.#host.evict(stream, "bytes", failures);
      }
      if (result === "queued") this.#pending.push(stream);
      this.#delivered++;
    } catch (cause) {
      // Writing may have run code that removed or replaced the stream.
      if (this.#streams.get(stream.id) !== stream) return;
      this.#host.fail(stream, cause, failures);
    }
  }

  #endTurn(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#batcher.clear();
    this.#host.flush(pending);
    // What is sent while streams are flushed belongs to the next turn.
    if (this.#pending.length > 0) atEndOfTurn(() => this.#endTurn());
    else this.#isInTurn = false;
  }
}
