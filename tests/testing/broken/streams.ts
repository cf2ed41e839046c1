import { SessionLimitError } from "@crossmcp/session-manager";
import { type Controller, PlainStreams } from "./plain_streams.ts";

/** Managers with one fault each. */
export const brokenStreams: Record<string, typeof PlainStreams> = {
  "forgets nobody": class extends PlainStreams {
    readonly #seen = new Set<string>();
    override create(id: string, controller: Controller): void | Promise<void> {
      this.#seen.add(id);
      return super.create(id, controller);
    }
    override has(id: string): boolean {
      return this.#seen.has(id);
    }
  },
  "leaves deleted streams open": class extends PlainStreams {
    override end(): void {}
  },
  "orphans the older stream": class extends PlainStreams {
    override replace(): void {}
  },
  "lets the older stream drain": class extends PlainStreams {
    override replace(older: Controller): void {
      this.end(older);
    }
  },
  "lets the older stream drain, and deletes later": class extends PlainStreams {
    override replace(older: Controller): void {
      this.end(older);
    }
    override async delete(id: string): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 10));
      super.delete(id);
    }
  },
  "counts duplicate ids": class extends PlainStreams {
    override targets(sessions: string[] | undefined): Iterable<string> {
      return sessions ?? [...this.controllers.keys()];
    }
  },
  "takes nobody for everyone": class extends PlainStreams {
    override targets(sessions: string[] | undefined): Iterable<string> {
      return super.targets(sessions?.length ? sessions : undefined);
    }
  },
  "stops at a broken stream": class extends PlainStreams {
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      controller.enqueue(bytes.slice());
    }
  },
  "keeps broken streams": class extends PlainStreams {
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      try {
        controller.enqueue(bytes.slice());
      } catch {
        // Nobody cares.
      }
    }
  },
  "overtakes itself": class extends PlainStreams {
    override send(sessions: string[] | undefined, data: string): void {
      // Every number that ends in nine comes late.
      if (!data.endsWith("9,")) return super.send(sessions, data);
      setTimeout(() => super.send(sessions, data), 0);
    }
  },
  "writes Latin-1": class extends PlainStreams {
    override encode(data: string): Uint8Array {
      return Uint8Array.from(data, (character) => character.charCodeAt(0));
    }
  },
  "cuts long texts": class extends PlainStreams {
    override encode(data: string): Uint8Array {
      return super.encode(data).subarray(0, 2 ** 20);
    }
  },
  "gives a byte stream what the others hold": class extends PlainStreams {
    override write(
      id: string,
      controller: Controller,
      bytes: Uint8Array<ArrayBuffer>,
    ): void {
      try {
        controller.enqueue(bytes);
      } catch {
        this.controllers.delete(id);
      }
    }
  },
  "counts before it waits": class extends PlainStreams {
    override async create(id: string, controller: Controller): Promise<void> {
      if (this.controllers.size >= this.maxSessions) {
        throw new SessionLimitError(this.maxSessions);
      }
      await undefined;
      const { maxSessions } = this;
      try {
        Object.assign(this, { maxSessions: Infinity });
        await super.create(id, controller);
      } finally {
        Object.assign(this, { maxSessions });
      }
    }
  },
  "opens again after close": class extends PlainStreams {
    override close(): void {
      super.close();
      this.closed = false;
    }
  },
};
