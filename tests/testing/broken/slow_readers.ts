import type { EvictionReason } from "@crossmcp/session-manager";
import { type Controller, PlainStreams, type Stream } from "./plain_streams.ts";

/** Managers with one fault each in the backlog, by the name of the fault. */
export const brokenBacklogs: Record<string, typeof PlainStreams> = {
  "never evicts": class extends PlainStreams {
    override evict(): void {}
  },
  "evicts every stream instead of one": class extends PlainStreams {
    override evict(_: string, reason: EvictionReason): void {
      for (const id of [...this.controllers.keys()]) super.evict(id, reason);
    }
  },
  "does not report evictions": class extends PlainStreams {
    override readonly onEvict: () => void = () => {};
  },
  "reports age as the reason for every eviction": class extends PlainStreams {
    override evict(id: string): void {
      super.evict(id, "age");
    }
  },
  "reports every eviction twice": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      super.evict(id, reason);
      this.onEvict(id, reason);
    }
  },
  "closes evicted streams without an error": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      this.delete(id);
      this.onEvict(id, reason);
    }
  },
  "keeps evicted streams": class extends PlainStreams {
    override evict(id: string, reason: EvictionReason): void {
      const controller = this.controllers.get(id)!;
      super.evict(id, reason);
      this.controllers.set(id, controller);
    }
    override hasCapacity(
      controller: Controller,
      stream: Stream,
      bytes: number,
    ) {
      return controller.desiredSize === null ||
        super.hasCapacity(controller, stream, bytes);
    }
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      if (controller.desiredSize === null) return;
      super.write(_, controller, bytes);
    }
  },
  "counts frames instead of bytes": class extends PlainStreams {
    override recordChunk(controller: Controller, stream: Stream): void {
      super.recordChunk(controller, stream, 1);
    }
  },
  "counts bytes that were read": class extends PlainStreams {
    override unread(_: Controller, stream: Stream): number {
      return stream.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  },
  "applies the byte limit within a turn": class extends PlainStreams {
    override hasCapacity(
      controller: Controller,
      stream: Stream,
      bytes: number,
    ) {
      return this.unread(controller, stream) + bytes <= this.maxBytes;
    }
  },
  "evicts a reader for one large frame": class extends PlainStreams {
    override hasCapacity(
      controller: Controller,
      stream: Stream,
      bytes: number,
    ) {
      return bytes <= this.maxBytes &&
        super.hasCapacity(controller, stream, bytes);
    }
  },
  "counts the chunks of a transport as its own": class extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const queued = stream.capacity -
        (controller.desiredSize ?? stream.capacity);
      const unread = super.unread(controller, stream);
      return queued > stream.chunks.length ? queued * 100 : unread;
    }
  },
  "counts nothing once a transport enqueues chunks": class
    extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const queued = stream.capacity -
        (controller.desiredSize ?? stream.capacity);
      if (queued > stream.chunks.length) {
        stream.chunks = [];
        return 0;
      }
      return super.unread(controller, stream);
    }
  },
  "takes the first desiredSize for the capacity": class extends PlainStreams {
    override unread(controller: Controller, stream: Stream): number {
      const { capacity } = stream;
      const unread = super.unread(controller, stream);
      stream.capacity = capacity;
      return unread;
    }
  },
  "ignores the age of unread frames": class extends PlainStreams {
    override unreadSince(): number {
      return Infinity;
    }
  },
  "measures the age since everything was read": class extends PlainStreams {
    readonly #unreadSince = new WeakMap<Stream, number>();
    override unreadSince(stream: Stream): number {
      if (stream.chunks.length === 0) this.#unreadSince.delete(stream);
      else if (!this.#unreadSince.has(stream)) {
        this.#unreadSince.set(stream, performance.now());
      }
      return this.#unreadSince.get(stream) ?? Infinity;
    }
  },
  "measures the age of the newest unread frame": class extends PlainStreams {
    override unreadSince(stream: Stream): number {
      return stream.chunks.at(-1)?.at ?? Infinity;
    }
  },
};

/** Managers with one fault each in keep-alives, by the name of the fault. */
export const brokenKeepAlives: Record<string, typeof PlainStreams> = {
  "sends no keep-alives": class extends PlainStreams {
    override keepAlive(): void {}
  },
  "sends keep-alives to busy streams": class extends PlainStreams {
    readonly #commentedAt = new WeakMap<Stream, number>();
    override isIdle(stream: Stream, now: number): boolean {
      const wroteAt = this.#commentedAt.get(stream) ?? now;
      if (wroteAt === now) this.#commentedAt.set(stream, now);
      if (!super.isIdle({ ...stream, wroteAt }, now)) return false;
      this.#commentedAt.set(stream, now);
      return true;
    }
  },
  "sends keep-alives inside frames": class extends PlainStreams {
    override endsFrame(): boolean {
      return true;
    }
  },
  "sends keep-alives after any line": class extends PlainStreams {
    override endsFrame(data: string): boolean {
      return data.endsWith("\n") || data.endsWith("\r");
    }
  },
  "sends keep-alives to slow readers": class extends PlainStreams {
    override isIdle(stream: Stream, now: number): boolean {
      return super.isIdle({ ...stream, chunks: [] }, now);
    }
  },
  "sends keep-alives too often": class extends PlainStreams {
    override isIdle(stream: Stream, now: number): boolean {
      const wroteAt = stream.wroteAt - this.keepAliveMs * 4 / 5;
      return super.isIdle({ ...stream, wroteAt }, now);
    }
  },
  "sends keep-alives as events": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode("data: keep-alive\n\n"));
    }
  },
  "sends keep-alives without a line end": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode(": keep-alive"));
    }
  },
  "sends keep-alives with an event ID": class extends PlainStreams {
    override keepAlive(id: string, controller: Controller): void {
      this.write(id, controller, this.encode(": keep-alive\nid: 0\n\n"));
    }
  },
};
