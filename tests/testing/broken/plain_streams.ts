import {
  ClosedError,
  type EvictionReason,
  SessionLimitError,
  StreamSessionManager,
} from "@crossmcp/session-manager";
import type { StreamLimits } from "@crossmcp/session-manager/testing";

export type Controller = ReadableStreamDefaultController<Uint8Array>;

/** What the manager records of a stream. */
export interface Stream {
  /** `desiredSize` when nothing is unread. */
  capacity: number;
  /** The chunks that may be unread. */
  chunks: { bytes: number; at: number }[];
  /** The turn of the last frame, and the bytes that are still allowed in it. */
  turn: number;
  allowance: number;
  wroteAt: number;
  endsFrame: boolean;
}

/** A manager written from scratch, without a fault. The broken ones extend it. */
export class PlainStreams extends StreamSessionManager {
  readonly controllers: Map<string, Controller> = new Map();
  readonly streams: WeakMap<Controller, Stream> = new WeakMap();
  readonly maxSessions: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly keepAliveMs: number;
  readonly onEvict: (id: string, reason: EvictionReason) => void;
  closed = false;
  /** Counts turns of the event loop; odd during a turn. */
  turn = 0;
  timer: ReturnType<typeof setInterval> | undefined;

  constructor(limits: StreamLimits) {
    super();
    this.maxSessions = limits.maxSessions ?? Infinity;
    const backlog = limits.backlog || {};
    this.maxBytes = backlog.maxBytes ?? 1_048_576;
    this.maxAgeMs = backlog.maxAgeMs ?? 30_000;
    this.keepAliveMs = limits.keepAliveMs || 15_000;
    this.onEvict = limits.onEvict ?? (() => {});
  }

  override create(id: string, controller: Controller): void | Promise<void> {
    if (this.closed) throw new ClosedError("This manager is closed.");
    const older = this.controllers.get(id);
    if (older === controller) return;
    if (!older && this.controllers.size >= this.maxSessions) {
      throw new SessionLimitError(this.maxSessions);
    }
    this.controllers.set(id, controller);
    this.streams.set(controller, {
      capacity: controller.desiredSize ?? 0,
      chunks: [],
      turn: -1,
      allowance: 0,
      wroteAt: performance.now(),
      endsFrame: true,
    });
    this.timer ??= setInterval(() => this.checkStreams(), 10);
    // A test that timed out may still create managers.
    (this.timer as { unref?: () => void }).unref?.();
    if (older) this.replace(older);
  }

  override delete(id: string): void | Promise<void> {
    const controller = this.controllers.get(id);
    this.controllers.delete(id);
    if (controller) this.end(controller);
  }

  override has(id: string): boolean {
    return this.controllers.has(id);
  }

  override send(sessions: string[] | undefined, data: string): void {
    const bytes = this.encode(data);
    for (const id of this.recipients(sessions)) {
      const controller = this.controllers.get(id);
      if (!controller || data === "") continue;
      const stream = this.streams.get(controller)!;
      if (!this.hasCapacity(controller, stream, bytes.length)) {
        this.evict(id, "bytes");
        continue;
      }
      this.write(id, controller, bytes);
      this.recordChunk(controller, stream, bytes.length);
      stream.endsFrame = this.endsFrame(data);
    }
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    for (const id of [...this.controllers.keys()]) this.delete(id);
  }

  end(controller: Controller): void {
    try {
      controller.close();
    } catch {
      // The stream has already ended.
    }
  }

  replace(older: Controller): void {
    this.end(older);
    older.error(new Error("A newer stream replaced this one."));
  }

  encode(data: string): Uint8Array {
    return new TextEncoder().encode(data);
  }

  recipients(sessions: string[] | undefined): Iterable<string> {
    return new Set(sessions ?? this.controllers.keys());
  }

  write(id: string, controller: Controller, bytes: Uint8Array): void {
    try {
      controller.enqueue(bytes.slice());
    } catch {
      this.controllers.delete(id);
    }
  }

  /**
   * Returns whether more bytes may be written. A reader that has read everything
   * may get any number of bytes within one turn.
   */
  hasCapacity(controller: Controller, stream: Stream, bytes: number): boolean {
    if (stream.turn !== this.turn) {
      if (this.turn % 2 === 0) {
        this.turn++;
        setTimeout(() => this.turn++, 0);
      }
      stream.turn = this.turn;
      const unread = this.unread(controller, stream);
      stream.allowance = unread === 0 ? Infinity : this.maxBytes - unread;
    }
    stream.allowance -= bytes;
    return stream.allowance >= 0;
  }

  recordChunk(_: Controller, stream: Stream, bytes: number): void {
    stream.wroteAt = performance.now();
    stream.chunks.push({ bytes, at: stream.wroteAt });
  }

  /** Returns an upper bound of the unread bytes. */
  unread(controller: Controller, stream: Stream): number {
    const size = controller.desiredSize ?? stream.capacity;
    stream.capacity = Math.max(stream.capacity, size);
    const queued = stream.capacity - size;
    stream.chunks = queued === 0 ? [] : stream.chunks.slice(-queued);
    return stream.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  evict(id: string, reason: EvictionReason): void {
    const controller = this.controllers.get(id);
    this.controllers.delete(id);
    controller?.error(new Error("This reader is too slow."));
    this.onEvict(id, reason);
  }

  endsFrame(data: string): boolean {
    return data.endsWith("\n\n");
  }

  checkStreams(): void {
    const now = performance.now();
    for (const [id, controller] of this.controllers) {
      const stream = this.streams.get(controller)!;
      this.unread(controller, stream);
      if (now - this.unreadSince(stream) >= this.maxAgeMs) {
        this.evict(id, "age");
      } else if (this.isIdle(stream, now)) {
        this.keepAlive(id, controller);
        stream.wroteAt = now;
      }
    }
  }

  unreadSince(stream: Stream): number {
    return stream.chunks[0]?.at ?? Infinity;
  }

  isIdle(stream: Stream, now: number): boolean {
    return stream.endsFrame && stream.chunks.length === 0 &&
      now - stream.wroteAt >= this.keepAliveMs;
  }

  keepAlive(id: string, controller: Controller): void {
    this.write(id, controller, this.encode(": keep-alive\n\n"));
  }
}
