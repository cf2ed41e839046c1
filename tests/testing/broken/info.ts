import {
  type ClientInfo,
  type InfoSessionManager,
  InMemoryInfoSessionManager,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "@crossmcp/session-manager";
import type { InfoLimits } from "@crossmcp/session-manager/testing";

/** Info session managers with one fault each, by the name of the fault. */
export const brokenInfo: Record<
  string,
  new (limits: InfoLimits) => InfoSessionManager
> = {
  "stores the level notice as info": class extends InMemoryInfoSessionManager {
    override setLogLevel(
      id: string,
      level: LoggingLevel,
    ): void | Promise<void> {
      return super.setLogLevel(id, level === "notice" ? "info" : level);
    }
  },
  "merges client info instead of replacing it": class
    extends InMemoryInfoSessionManager {
    override async setClientInfo(id: string, info: ClientInfo): Promise<void> {
      const previous = await this.getClientInfo(id).catch(() => undefined);
      await super.setClientInfo(id, { ...previous, ...info });
    }
  },
  "stores the caller's object without a copy": class
    extends InMemoryInfoSessionManager {
    readonly #infos = new Map<string, ClientInfo>();
    override async setClientInfo(id: string, info: ClientInfo): Promise<void> {
      await super.setClientInfo(id, info);
      this.#infos.set(id, info);
    }
    override async getClientInfo(id: string): Promise<ClientInfo> {
      await super.getClientInfo(id);
      return this.#infos.get(id)!;
    }
  },
  "stores the caller's data without a copy": class
    extends InMemoryInfoSessionManager {
    readonly #data = new Map<string, unknown>();
    override async setData(id: string, data: unknown): Promise<void> {
      await super.setData(id, data);
      this.#data.set(id, data);
    }
    override async getData(id: string): Promise<unknown> {
      const stored = await super.getData(id);
      return stored === undefined ? undefined : this.#data.get(id);
    }
  },
  "ignores maxDataBytes": class extends InMemoryInfoSessionManager {
    constructor({ maxDataBytes: _, ...limits }: InfoLimits) {
      super(limits);
    }
  },
  "cuts data off that is too large": class extends InMemoryInfoSessionManager {
    override setData(id: string, data: unknown): void | Promise<void> {
      const isShort = typeof data === "string" && data.length < 80;
      return super.setData(id, isShort ? data.slice(0, 40) : data);
    }
  },
  "keeps the data of a deleted session": class
    extends InMemoryInfoSessionManager {
    override async delete(id: string): Promise<void> {
      const data = await this.getData(id);
      await super.delete(id);
      if (data !== undefined) await this.setData(id, data);
    }
  },
  "throws synchronously": class extends InMemoryInfoSessionManager {
    override getLogLevel(id: string): Promise<LoggingLevel> {
      if (id === "unknown") throw new Error("No log level.");
      return super.getLogLevel(id);
    }
  },
  "returns a default log level": class extends InMemoryInfoSessionManager {
    override getLogLevel(id: string): Promise<LoggingLevel> {
      return super.getLogLevel(id).catch(() => "info");
    }
  },
  "accepts invalid log levels": class extends InMemoryInfoSessionManager {
    override setLogLevel(
      id: string,
      level: LoggingLevel,
    ): void | Promise<void> {
      return super.setLogLevel(
        id,
        LOGGING_LEVELS.includes(level) ? level : "info",
      );
    }
  },
  "counts repeated subscriptions": class extends InMemoryInfoSessionManager {
    readonly #counts = new Map<string, number>();
    override addSubscription(id: string, uri: string): void | Promise<void> {
      const key = JSON.stringify([id, uri]);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
      return super.addSubscription(id, uri);
    }
    override async removeSubscription(id: string, uri: string): Promise<void> {
      const key = JSON.stringify([id, uri]);
      const count = (this.#counts.get(key) ?? 0) - 1;
      this.#counts.set(key, Math.max(0, count));
      if (count <= 0) await super.removeSubscription(id, uri);
    }
  },
  "ignores the case of URIs": class extends InMemoryInfoSessionManager {
    override addSubscription(id: string, uri: string): void | Promise<void> {
      return super.addSubscription(id, uri.toLowerCase());
    }
    override removeSubscription(id: string, uri: string): void | Promise<void> {
      return super.removeSubscription(id, uri.toLowerCase());
    }
    override getSubscriptions(uri: string): Promise<string[]> {
      return super.getSubscriptions(uri.toLowerCase());
    }
  },
  "truncates session IDs at colons": class extends InMemoryInfoSessionManager {
    override delete(id: string): void | Promise<void> {
      return super.delete(id.split(":", 1)[0]!);
    }
    override setClientInfo(id: string, info: ClientInfo): void | Promise<void> {
      return super.setClientInfo(id.split(":", 1)[0]!, info);
    }
    override getClientInfo(id: string): Promise<ClientInfo> {
      return super.getClientInfo(id.split(":", 1)[0]!);
    }
  },
  "keeps the log level of a deleted session": class
    extends InMemoryInfoSessionManager {
    override async delete(id: string): Promise<void> {
      const level = await this.getLogLevel(id).catch(() => undefined);
      await super.delete(id);
      await this.setLogLevel(id, level);
    }
  },
  "keeps log levels in a plain object": class
    extends InMemoryInfoSessionManager {
    readonly #levels: Record<string, LoggingLevel> = {};
    override async setLogLevel(id: string, level: LoggingLevel): Promise<void> {
      await super.setLogLevel(id, level);
      this.#levels[id] = level;
    }
    override async getLogLevel(id: string): Promise<LoggingLevel> {
      // What an object has as "__proto__" depends on the runtime.
      const level = id === "__proto__" ? undefined : this.#levels[id];
      return level ?? await super.getLogLevel(id);
    }
    override async delete(id: string): Promise<void> {
      await super.delete(id);
      delete this.#levels[id];
    }
  },
};

/** Info session managers with one fault each in what they delete. */
export const leakingInfo: typeof brokenInfo = {
  "keeps the subscriptions of deleted sessions": class
    extends InMemoryInfoSessionManager {
    readonly #subscribers = new Map<string, Set<string>>();
    override async addSubscription(id: string, uri: string): Promise<void> {
      await super.addSubscription(id, uri);
      this.#subscribers.set(
        uri,
        (this.#subscribers.get(uri) ?? new Set()).add(id),
      );
    }
    override async removeSubscription(id: string, uri: string): Promise<void> {
      await super.removeSubscription(id, uri);
      this.#subscribers.get(uri)?.delete(id);
    }
    override getSubscriptions(uri: string): Promise<string[]> {
      return Promise.resolve([...this.#subscribers.get(uri) ?? []]);
    }
  },
  "loses one of 50,000 subscriptions": class
    extends InMemoryInfoSessionManager {
    #count = 0;
    override addSubscription(id: string, uri: string): void | Promise<void> {
      if (++this.#count === 49_999) return Promise.resolve();
      return super.addSubscription(id, uri);
    }
  },
};
