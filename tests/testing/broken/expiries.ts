import {
  type ClientCapabilities,
  type ClientInfo,
  InMemoryInfoSessionManager,
  type LoggingLevel,
  SessionLimitError,
} from "@crossmcp/session-manager";
import type { InfoLimits } from "@crossmcp/session-manager/testing";
import type { brokenInfo } from "./info.ts";

/** Managers with one fault each in expiry or in the limit of sessions. */
export const brokenExpiries: typeof brokenInfo = {
  "never expires metadata": class extends InMemoryInfoSessionManager {
    constructor(limits: InfoLimits) {
      super({ ...limits, idleTimeoutMs: Infinity });
    }
  },
  "does not count a read as use": class extends InMemoryInfoSessionManager {
    readonly #levels = new Map<string, LoggingLevel>();
    override async setLogLevel(id: string, level: LoggingLevel): Promise<void> {
      await super.setLogLevel(id, level);
      this.#levels.set(id, level);
    }
    override getLogLevel(id: string): Promise<LoggingLevel> {
      // Read from a copy, which does not extend the lifetime.
      const level = this.#levels.get(id);
      return level ? Promise.resolve(level) : super.getLogLevel(id);
    }
    override async delete(id: string): Promise<void> {
      await super.delete(id);
      this.#levels.delete(id);
    }
  },
  "does not count an unchanged write as use": class
    extends InMemoryInfoSessionManager {
    readonly #capabilities = new Map<string, string>();
    override setClientCapabilities(
      id: string,
      capabilities: ClientCapabilities,
    ): void | Promise<void> {
      const value = JSON.stringify(capabilities);
      // Skip the write if nothing changes.
      if (this.#capabilities.get(id) === value) return;
      this.#capabilities.set(id, value);
      return super.setClientCapabilities(id, capabilities);
    }
    override async delete(id: string): Promise<void> {
      await super.delete(id);
      this.#capabilities.delete(id);
    }
  },
  "keeps the subscriptions of expired sessions": class
    extends InMemoryInfoSessionManager {
    readonly #sessions = new Map<string, Set<string>>();
    readonly #uris = new Map<string, Set<string>>();
    override async addSubscription(id: string, uri: string): Promise<void> {
      await super.addSubscription(id, uri);
      this.#sessions.set(uri, (this.#sessions.get(uri) ?? new Set()).add(id));
      this.#uris.set(id, (this.#uris.get(id) ?? new Set()).add(uri));
    }
    override async removeSubscription(id: string, uri: string): Promise<void> {
      await super.removeSubscription(id, uri);
      this.#sessions.get(uri)?.delete(id);
      this.#uris.get(id)?.delete(uri);
    }
    override getSubscriptions(uri: string): Promise<string[]> {
      return Promise.resolve([...this.#sessions.get(uri) ?? []]);
    }
    override async delete(id: string): Promise<void> {
      await super.delete(id);
      for (const uri of this.#uris.get(id) ?? []) {
        this.#sessions.get(uri)?.delete(id);
      }
      this.#uris.delete(id);
    }
  },
  "ignores maxSessions": class extends InMemoryInfoSessionManager {
    constructor({ idleTimeoutMs }: InfoLimits) {
      super({ idleTimeoutMs });
    }
  },
  "awaits between the limit check and the count": class
    extends InMemoryInfoSessionManager {
    readonly #maxSessions: number;
    #count = 0;
    constructor({ maxSessions = Infinity, ...limits }: InfoLimits) {
      super(limits);
      this.#maxSessions = maxSessions;
    }
    override async setClientInfo(id: string, info: ClientInfo): Promise<void> {
      if (this.#count >= this.#maxSessions) {
        throw new SessionLimitError(this.#maxSessions);
      }
      await undefined;
      this.#count++;
      await super.setClientInfo(id, info);
    }
  },
};
