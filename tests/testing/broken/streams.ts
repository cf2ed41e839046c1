import { SessionLimitError } from "@crossmcp/session-manager";
import { type Controller, PlainStreams } from "./plain_streams.ts";

/** Stream managers with one fault each, by the name of the fault. */
export const brokenStreams: Record<string, typeof PlainStreams> = {
  "reports deleted sessions as attached": class extends PlainStreams {
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
  "leaves a replaced stream open": class extends PlainStreams {
    override replace(): void {}
  },
  "closes a replaced stream without an error": class extends PlainStreams {
    override replace(older: Controller): void {
      this.end(older);
    }
  },
  "closes a replaced stream without an error, and deletes with a delay": class
    extends PlainStreams {
    override replace(older: Controller): void {
      this.end(older);
    }
    override async delete(id: string): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 10));
      super.delete(id);
    }
  },
  "sends twice to a duplicate session ID": class extends PlainStreams {
    override recipients(sessions: string[] | undefined): Iterable<string> {
      return sessions ?? [...this.controllers.keys()];
    }
  },
  "treats an empty recipient list as a broadcast": class extends PlainStreams {
    override recipients(sessions: string[] | undefined): Iterable<string> {
      return super.recipients(sessions?.length ? sessions : undefined);
    }
  },
  "stops a broadcast at a failed stream": class extends PlainStreams {
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      controller.enqueue(bytes.slice());
    }
  },
  "keeps failed streams": class extends PlainStreams {
    override write(_: string, controller: Controller, bytes: Uint8Array): void {
      try {
        controller.enqueue(bytes.slice());
      } catch {
        // The failed stream stays registered.
      }
    }
  },
  "delivers frames out of order": class extends PlainStreams {
    override send(sessions: string[] | undefined, data: string): void {
      // Frames that end in "9," are delayed by a turn.
      if (!data.endsWith("9,")) return super.send(sessions, data);
      setTimeout(() => super.send(sessions, data), 0);
    }
  },
  "encodes frames as Latin-1": class extends PlainStreams {
    override encode(data: string): Uint8Array {
      return Uint8Array.from(data, (character) => character.charCodeAt(0));
    }
  },
  "truncates long frames": class extends PlainStreams {
    override encode(data: string): Uint8Array {
      return super.encode(data).subarray(0, 2 ** 20);
    }
  },
  "passes a shared buffer to byte streams": class extends PlainStreams {
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
  "checks the limit before an await and counts after it": class
    extends PlainStreams {
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
  "accepts streams after close": class extends PlainStreams {
    override close(): void {
      super.close();
      this.closed = false;
    }
  },
};
