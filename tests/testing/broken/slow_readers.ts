import type { EvictionReason } from "@crossmcp/session-manager";
import { type Controller, PlainStreams, type Stream } from "./plain_streams.ts";

/** Managers with one fault each in what they do about readers that are slow. */
export const brokenBacklogs: Record<string, typeof PlainStreams> = {
  "evicts nobody": class extends PlainStreams {
    override evict(): void {}
  },
  "evicts everyone": class extends PlainStreams {
    override evict(_: string, reason: EvictionReason): void {
      for (const id of [...this.controllers.keys()]) super.evict(id, reason);
    }
  },
  "evicts in silence": class extends PlainStreams {
    override readonly onEvict: () => void = () => {};
  },
  "evicts for no reason": class extends PlainStreams {
    override evict(id: string): void {
      super.evict(id, "age");
    }
  },
  "evicts twice": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      super.evict(id, reason);
      this.onEvict(id, reason);
    }
  },
  "ends the evicted as if nothing was lost": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      this.delete(id);
      this.onEvict(id, reason);
    }
  },
  "keeps the evicted": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      const controller = this.controllers.get(id)!;
      super.evict(id, reason);
      this.controllers.set(id, controller);
    }
    override hasRoom(controller: Controller, stream: Stream, bytes: number) {
      return controller.desiredSize === null ||
        super.hasRoom(controller, stream, bytes);
    }
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      if (controller.desiredSize === null) return;
      super.write(_, controller, bytes);
    }
  },
  "counts texts for bytes": class extends PlainStreams {
    override note(controller: Controller, stream: Stream): void {
      super.note(controller, stream, 1);
    }
  },
  "counts what was read": class extends PlainStreams {
    override unread(_: Controller, stream: Stream): number {
      return stream.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  },
  "counts the bytes of a turn": class extends PlainStreams {
    override hasRoom(controller: Controller, stream: Stream, bytes: number) {
      return this.unread(controller, stream) + bytes <= this.maxBytes;
    }
  },
  "refuses a long text": class extends PlainStreams {
    override hasRoom(controller: Controller, stream: Stream, bytes: number) {
      return bytes <= this.maxBytes && super.hasRoom(controller, stream, bytes);
    }
  },
  "takes what a transport enqueues for its own": class extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const held = stream.full - (controller.desiredSize ?? stream.full);
      const unread = super.unread(controller, stream);
      return held > stream.chunks.length ? held * 100 : unread;
    }
  },
  "is blinded by what a transport enqueues": class extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const held = stream.full - (controller.desiredSize ?? stream.full);
      if (held > stream.chunks.length) {
        stream.chunks = [];
        return 0;
      }
      return super.unread(controller, stream);
    }
  },
  "takes the first size for that of an empty stream": class
    extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const { full } = stream;
      const unread = super.unread(controller, stream);
      stream.full = full;
      return unread;
    }
  },
  "lets nothing get old": class extends PlainStreams {
    override unreadSince(): number {
      return Infinity;
    }
  },
  "counts the age from when all was read": class extends PlainStreams {
    readonly #since = new WeakMap<Stream, number>();
    override unreadSince(stream: Stream): number {
      if (stream.chunks.length === 0) this.#since.delete(stream);
      else if (!this.#since.has(stream)) {
        this.#since.set(stream, performance.now());
      }
      return this.#since.get(stream) ?? Infinity;
    }
  },
  "counts the age from the last text": class extends PlainStreams {
    override unreadSince(stream: Stream): number {
      return stream.chunks.at(-1)?.at ?? Infinity;
    }
  },
};

/** Managers with one fault each in how they keep streams alive. */
export const brokenKeepAlives: Record<string, typeof PlainStreams> = {
  "keeps nobody alive": class extends PlainStreams {
    override keepAlive(): void {}
  },
  "keeps the busy alive": class extends PlainStreams {
    readonly #commentedAt = new WeakMap<Stream, number>();
    override isIdle(stream: Stream, now: number): boolean {
      const wroteAt = this.#commentedAt.get(stream) ?? now;
      if (wroteAt === now) this.#commentedAt.set(stream, now);
      if (!super.isIdle({ ...stream, wroteAt }, now)) return false;
      this.#commentedAt.set(stream, now);
      return true;
    }
  },
  "keeps alive inside frames": class extends PlainStreams {
    override endsFrame(): boolean {
      return true;
    }
  },
  "keeps alive after any line": class extends PlainStreams {
    override endsFrame(data: string): boolean {
      return data.endsWith("\n") || data.endsWith("\r");
    }
  },
  "keeps alive on top of what is unread": class extends PlainStreams {
    override isIdle(stream: Stream, now: number): boolean {
      return super.isIdle({ ...stream, chunks: [] }, now);
    }
  },
  "keeps alive too often": class extends PlainStreams {
    override isIdle(stream: Stream, now: number): boolean {
      const wroteAt = stream.wroteAt - this.keepAliveMs * 4 / 5;
      return super.isIdle({ ...stream, wroteAt }, now);
    }
  },
  "keeps alive with events": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode("data: keep-alive\n\n"));
    }
  },
  "keeps alive with half a line": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode(": keep-alive"));
    }
  },
  "keeps alive with an id": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode(": keep-alive\nid: 0\n\n"));
    }
  },
};
