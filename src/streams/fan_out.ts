import { endsSseFrame } from "../protocol/sse.ts";
import type { EvictionReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import type { Casualties } from "./stream_failures.ts";
import { SharedFrames } from "./frame_batch.ts";
import type { RecentText } from "./recent_broadcasts.ts";
import type { Targets } from "../replay/recipients.ts";
import type { Roster } from "./stream_registry.ts";
import type { SessionStream } from "./session_stream.ts";
import type { Text } from "./frame.ts";
import { atEndOfTurn } from "../runtime/end_of_turn.ts";

/** Whoever owns the streams. */
export interface FanOutHost {
  /** The time, in milliseconds. */
  now(): number;
  /** Removes a stream that takes no more data. */
  lose(stream: SessionStream, cause: unknown, casualties: Casualties): void;
  /** Breaks off a stream whose reader is too far behind. */
  evict(
    stream: SessionStream,
    reason: EvictionReason,
    casualties: Casualties,
  ): void;
  /** Writes what streams have waiting. */
  flush(streams: readonly SessionStream[]): void;
}

const encoder = new TextEncoder();

/** Gives texts to streams: the first of a turn at once, the others at its end. */
export class FanOut {
  readonly #streams: Roster;
  readonly #settings: StreamSettings;
  readonly #host: FanOutHost;
  readonly #shared = new SharedFrames();
  /** Streams with something to write at the end of the turn. */
  #waiting: SessionStream[] = [];
  #turn = 0;
  #isInTurn = false;
  #delivered = 0;

  constructor(streams: Roster, settings: StreamSettings, host: FanOutHost) {
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
    targets: Targets,
    data: string,
    encoded: Uint8Array<ArrayBuffer> | undefined,
    casualties: Casualties,
  ): void {
    if (targets === undefined) {
      if (this.#streams.size === 0) return;
      this.#giveAll(this.#text(data, encoded, true), casualties);
    } else if (typeof targets === "string") {
      const stream = this.#streams.get(targets);
      if (stream === undefined) return;
      this.#give(stream, this.#text(data, encoded), casualties);
    } else {
      let text: Text | undefined;
      for (const id of targets) {
        const stream = this.#streams.get(id);
        if (stream === undefined) continue;
        text ??= this.#text(data, encoded);
        this.#give(stream, text, casualties);
      }
    }
  }

  #text(
    data: string,
    encoded = encoder.encode(data),
    isForAll = false,
  ): Text {
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
    const isFirst = !mayWait || this.#streams.recent.turn !== turn;
    const number = isForAll && isFirst
      ? this.#number({ bytes: encoded.length, endsFrame, turn, now })
      : -1;
    return { bytes: encoded, endsFrame, turn, now, mayWait, number };
  }

  /** Gives a text a number, after a look at all streams if that is due. */
  #number(text: RecentText): number {
    const { recent, maxUnread } = this.#streams;
    if (!recent.hasRoom(text.bytes, maxUnread)) this.#streams.look(text.now);
    return recent.add(text);
  }

  #giveAll(text: Text, casualties: Casualties): void {
    const { row, calm } = this.#streams;
    const { bytes, number } = text;
    // Those that are attached now: a stream may attach others while it takes data,
    // and would be the one to decide when this ends.
    const { length } = row;
    let given = 0;
    for (let place = 0; place < length; place++) {
      // Whoever is calm need not be looked at: that is most of what this costs.
      const controller = number < 0 ? undefined : calm[place];
      if (number >= 0) this.#streams.reached = place;
      if (controller === undefined) {
        const stream = row[place];
        if (stream !== undefined) this.#give(stream, text, casualties);
        continue;
      }
      try {
        controller.enqueue(bytes);
        given++;
      } catch (cause) {
        const stream = row[place];
        // What the stream ran may have removed or replaced it.
        if (stream?.controller !== controller) continue;
        this.#host.lose(stream, cause, casualties);
      }
    }
    this.#streams.reached = Infinity;
    this.#delivered += given;
  }

  #give(stream: SessionStream, text: Text, casualties: Casualties): void {
    try {
      const taken = stream.take(text, this.#shared);
      if (taken === "full") {
        return this.#host.evict(stream, "bytes", casualties);
      }
      if (taken === "waits") this.#waiting.push(stream);
      this.#delivered++;
    } catch (cause) {
      // What the stream ran may have removed or replaced it.
      if (this.#streams.get(stream.id) !== stream) return;
      this.#host.lose(stream, cause, casualties);
    }
  }

  #endTurn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#shared.clear();
    this.#host.flush(waiting);
    // What a stream sent while it was written to is for the next turn.
    if (this.#waiting.length > 0) atEndOfTurn(() => this.#endTurn());
    else this.#isInTurn = false;
  }
}
