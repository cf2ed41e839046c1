import { endsSseFrame } from "../protocol/sse.ts";
import type { EvictionReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import type { StreamFailures } from "./stream_failures.ts";
import { FrameBatcher } from "./frame_batch.ts";
import type { BroadcastRecord } from "./recent_broadcasts.ts";
import type { Recipients } from "../replay/recipients.ts";
import type { StreamRegistry } from "./stream_registry.ts";
import type { SessionStream } from "./session_stream.ts";
import type { Frame } from "./frame.ts";
import { atEndOfTurn } from "../runtime/end_of_turn.ts";

/** Whoever owns the streams. */
export interface FanOutHost {
  /** The time, in milliseconds. */
  now(): number;
  /** Removes a stream that takes no more data. */
  fail(stream: SessionStream, cause: unknown, casualties: StreamFailures): void;
  /** Breaks off a stream whose reader is too far behind. */
  evict(
    stream: SessionStream,
    reason: EvictionReason,
    casualties: StreamFailures,
  ): void;
  /** Writes what streams have waiting. */
  flush(streams: readonly SessionStream[]): void;
}

const encoder = new TextEncoder();

/** Gives texts to streams: the first of a turn at once, the others at its end. */
export class FanOut {
  readonly #streams: StreamRegistry;
  readonly #settings: StreamSettings;
  readonly #host: FanOutHost;
  readonly #batcher = new FrameBatcher();
  /** Streams with something to write at the end of the turn. */
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

  /** How many texts were handed to streams. */
  get delivered(): number {
    return this.#delivered;
  }

  /**
   * Writes a text.
   *
   * @param targets To whom.
   * @param data The text.
   * @param encoded Its bytes, where they are known.
   * @param casualties Takes note of the streams that are lost.
   */
  send(
    targets: Recipients,
    data: string,
    encoded: Uint8Array<ArrayBuffer> | undefined,
    casualties: StreamFailures,
  ): void {
    if (targets === undefined) {
      if (this.#streams.size === 0) return;
      this.#enqueueToAll(this.#frame(data, encoded, true), casualties);
    } else if (typeof targets === "string") {
      const stream = this.#streams.get(targets);
      if (stream === undefined) return;
      this.#enqueue(stream, this.#frame(data, encoded), casualties);
    } else {
      let text: Frame | undefined;
      for (const id of targets) {
        const stream = this.#streams.get(id);
        if (stream === undefined) continue;
        text ??= this.#frame(data, encoded);
        this.#enqueue(stream, text, casualties);
      }
    }
  }

  #frame(
    data: string,
    encoded = encoder.encode(data),
    isForAll = false,
  ): Frame {
    if (!this.#isInTurn) {
      this.#isInTurn = true;
      this.#turn = (this.#turn + 1) & 0x3fff_ffff;
      atEndOfTurn(() => this.#endTurn());
    }
    const { coalesce: mayWait } = this.#settings;
    const endsFrame = endsSseFrame(data);
    const turn = this.#turn;
    const now = this.#host.now();
    // What may have to wait is for each stream to decide.
    const isFirst = !mayWait ||
      this.#streams.recentBroadcasts.lastTurn !== turn;
    const number = isForAll && isFirst
      ? this.#number({ bytes: encoded.length, endsFrame, turn, now })
      : -1;
    return {
      bytes: encoded,
      endsFrame,
      turn,
      now,
      canCoalesce: mayWait,
      broadcastSeq: number,
    };
  }

  /** Gives a text a number, after a look at all streams if that is due. */
  #number(text: BroadcastRecord): number {
    const { recentBroadcasts, maxUnreadBytes } = this.#streams;
    if (!recentBroadcasts.hasCapacity(text.bytes, maxUnreadBytes)) {
      this.#streams.refresh(text.now);
    }
    return recentBroadcasts.add(text);
  }

  #enqueueToAll(text: Frame, casualties: StreamFailures): void {
    const { slots, fastPathControllers } = this.#streams;
    const { bytes, broadcastSeq } = text;
    // Those that are attached now: a stream may attach others while it takes data,
    // and would be the one to decide when this ends.
    const { length } = slots;
    let given = 0;
    for (let place = 0; place < length; place++) {
      // Whoever is calm need not be looked at: that is most of what this costs.
      const controller = broadcastSeq < 0
        ? undefined
        : fastPathControllers[place];
      if (broadcastSeq >= 0) this.#streams.cursor = place;
      if (controller === undefined) {
        const stream = slots[place];
        if (stream !== undefined) this.#enqueue(stream, text, casualties);
        continue;
      }
      try {
        controller.enqueue(bytes);
        given++;
      } catch (cause) {
        const stream = slots[place];
        // What the stream ran may have removed or replaced it.
        if (stream?.controller !== controller) continue;
        this.#host.fail(stream, cause, casualties);
      }
    }
    this.#streams.cursor = Infinity;
    this.#delivered += given;
  }

  #enqueue(
    stream: SessionStream,
    text: Frame,
    casualties: StreamFailures,
  ): void {
    try {
      const taken = stream.enqueue(text, this.#batcher);
      if (taken === "full") {
        return this.#host.evict(stream, "bytes", casualties);
      }
      if (taken === "waits") this.#pending.push(stream);
      this.#delivered++;
    } catch (cause) {
      // What the stream ran may have removed or replaced it.
      if (this.#streams.get(stream.id) !== stream) return;
      this.#host.fail(stream, cause, casualties);
    }
  }

  #endTurn(): void {
    const waiting = this.#pending;
    this.#pending = [];
    this.#batcher.clear();
    this.#host.flush(waiting);
    // What a stream sent while it was written to is for the next turn.
    if (this.#pending.length > 0) atEndOfTurn(() => this.#endTurn());
    else this.#isInTurn = false;
  }
}
