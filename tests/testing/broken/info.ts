import {
  type ClientInfo,
  type InfoSessionManager,
  InMemoryInfoSessionManager,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "@crossmcp/session-manager";
import type { InfoLimits } from "@crossmcp/session-manager/testing";

/** Managers of metadata with one fault each. */
export const brokenInfo: Record<
  string,
  new (limits: InfoLimits) => InfoSessionManager
> = {
  "knows seven levels": class extends InMemoryInfoSessionManager {
    override setLogLevel(
      id: string,
      level: LoggingLevel,
    ): void | Promise<void> {
      return super.setLogLevel(id, level === "notice" ? "info" : level);
    }
  },
  "merges instead of replacing": class extends InMemoryInfoSessionManager {
    override async setClientInfo(id: string, info: ClientInfo): Promise<void> {
      const before = await this.getClientInfo(id).catch(() => undefined);
      await super.setClientInfo(id, { ...before, ...info });
    }
  },
  "keeps the caller's object": class extends InMemoryInfoSessionManager {
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
  "throws in place": class extends InMemoryInfoSessionManager {
    override getLogLevel(id: string): Promise<LoggingLevel> {
      if (id === "unknown") throw new Error("No log level.");
      return super.getLogLevel(id);
    }
  },
  "has a default level": class extends InMemoryInfoSessionManager {
    override getLogLevel(id: string): Promise<LoggingLevel> {
      return super.getLogLevel(id).catch(() => "info");
    }
  },
  "takes any level": class extends InMemoryInfoSessionManager {
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
  "counts subscriptions": class extends InMemoryInfoSessionManager {
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
  "folds case": class extends InMemoryInfoSessionManager {
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
  "cuts ids at colons": class extends InMemoryInfoSessionManager {
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
  "deletes no level": class extends InMemoryInfoSessionManager {
    override async delete(id: string): Promise<void> {
      const level = await this.getLogLevel(id).catch(() => undefined);
      await super.delete(id);
      await this.setLogLevel(id, level);
    }
  },
  "keeps levels in an object": class extends InMemoryInfoSessionManager {
    readonly #levels: Record<string, LoggingLevel> = {};
    override async setLogLevel(id: string, level: LoggingLevel): Promise<void> {
      await super.setLogLevel(id, level);
      this.#levels[id] = level;
    }
    override async getLogLevel(id: string): Promise<LoggingLevel> {
      // What "__proto__" finds in an object depends on the runtime.
      const level = id === "__proto__" ? undefined : this.#levels[id];
      return level ?? await super.getLogLevel(id);
    }
    override async delete(id: string): Promise<void> {
      await super.delete(id);
      delete this.#levels[id];
    }
  },
};

/** Managers of metadata that leave traces, with one fault each. */
export const leakingInfo: typeof brokenInfo = {
  "leaves subscriptions behind": class extends InMemoryInfoSessionManager {
    readonly #left = new Map<string, Set<string>>();
    override async addSubscription(id: string, uri: string): Promise<void> {
      await super.addSubscription(id, uri);
      this.#left.set(uri, (this.#left.get(uri) ?? new Set()).add(id));
    }
    override async removeSubscription(id: string, uri: string): Promise<void> {
      await super.removeSubscription(id, uri);
      this.#left.get(uri)?.delete(id);
    }
    override getSubscriptions(uri: string): Promise<string[]> {
      return Promise.resolve([...this.#left.get(uri) ?? []]);
    }
  },
  "loses one session in fifty thousand": class
    extends InMemoryInfoSessionManager {
    #count = 0;
    override addSubscription(id: string, uri: string): void | Promise<void> {
      if (++this.#count === 49_999) return Promise.resolve();
      return super.addSubscription(id, uri);
    }
  },
};
