import {
  type ClientCapabilities,
  type ClientInfo,
  InfoSessionManager,
  InMemoryInfoSessionManager,
  InMemorySessions,
  InMemoryStreamSessionManager,
  InMemorySubscriptionManager,
  type JSONRPCNotification,
  type LoggingLevel,
  matchesSubscription,
  StreamSessionManager,
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  SubscriptionManager,
} from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import * as tmcp from "@tmcp/session-manager";
import { describe, it } from "node:test";
import { EXPECTED, runBasicScenario } from "./support/basic_scenario.ts";
import { engines } from "./support/serve.ts";
import type { Managers } from "./support/server.ts";

const combinations: Record<string, () => Managers> = {
  "our streams and a custom info manager": () => ({
    ...new InMemorySessions(),
    info: new CustomInfoManager(),
  }),
  "our streams and a custom info manager based on tmcp's class": () => ({
    ...new InMemorySessions(),
    info: new CustomTmcpInfoManager(),
  }),
  "our streams and tmcp's info": () => ({
    ...new InMemorySessions(),
    info: new tmcp.InMemoryInfoSessionManager(),
  }),
  "our info and a custom stream manager": () => ({
    streams: new CustomStreamManager(),
    info: new InMemoryInfoSessionManager(),
    subscriptions: new InMemorySubscriptionManager(),
  }),
  "our info, tmcp's streams and subscriptions": () => ({
    streams: new tmcp.InMemoryStreamSessionManager(),
    info: new InMemoryInfoSessionManager(),
    subscriptions: new tmcp.InMemorySubscriptionManager(),
  }),
  "our subscriptions, tmcp's streams and info": () => ({
    streams: new tmcp.InMemoryStreamSessionManager(),
    info: new tmcp.InMemoryInfoSessionManager(),
    subscriptions: new InMemorySubscriptionManager(),
  }),
  "our streams and info, and a custom subscription manager": () => ({
    streams: new InMemoryStreamSessionManager(),
    info: new InMemoryInfoSessionManager(),
    subscriptions: new CustomSubscriptionManager(),
  }),
};

for (const engine of engines) {
  describe(`Mixed managers, on ${engine}`, () => {
    for (const [combination, managers] of Object.entries(combinations)) {
      it(`runs the basic scenario with ${combination}`, async () => {
        assertEquals(await runBasicScenario(engine, managers), EXPECTED);
      });
    }
  });
}

/** An asynchronous store, like a database. */
class Table<Value> {
  readonly #rows: Map<string, Value> = new Map();

  async get(id: string): Promise<Value> {
    await new Promise((resolve) => setTimeout(resolve));
    const value = this.#rows.get(id);
    if (value === undefined) throw new Error(`No row "${id}".`);
    return value;
  }

  set(id: string, value: Value | undefined): void {
    if (value === undefined) this.#rows.delete(id);
    else this.#rows.set(id, value);
  }
}

class CustomInfoManager extends InfoSessionManager {
  readonly #info = new Table<ClientInfo>();
  readonly #capabilities = new Table<ClientCapabilities>();
  readonly #levels = new Table<LoggingLevel>();
  readonly #subscriptions: { id: string; uri: string }[] = [];

  override getClientInfo(id: string) {
    return this.#info.get(id);
  }

  override setClientInfo(id: string, info: ClientInfo | undefined) {
    this.#info.set(id, info);
    return Promise.resolve();
  }

  override getClientCapabilities(id: string) {
    return this.#capabilities.get(id);
  }

  override setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ) {
    this.#capabilities.set(id, capabilities);
    return Promise.resolve();
  }

  override getLogLevel(id: string) {
    return this.#levels.get(id);
  }

  override setLogLevel(id: string, level: LoggingLevel | undefined) {
    this.#levels.set(id, level);
    return Promise.resolve();
  }

  override getSubscriptions(uri: string) {
    const rows = this.#subscriptions.filter((row) => row.uri === uri);
    return Promise.resolve(rows.map(({ id }) => id));
  }

  override addSubscription(id: string, uri: string) {
    this.#subscriptions.push({ id, uri });
  }

  override removeSubscription(id: string, uri: string) {
    this.#removeWhere((row) => row.id === id && row.uri === uri);
  }

  override delete(id: string) {
    for (const table of [this.#info, this.#capabilities, this.#levels]) {
      table.set(id, undefined);
    }
    this.#removeWhere((row) => row.id === id);
  }

  #removeWhere(matches: (row: { id: string; uri: string }) => boolean): void {
    const kept = this.#subscriptions.filter((row) => !matches(row));
    this.#subscriptions.splice(0, Infinity, ...kept);
  }
}

// tmcp doesn't export these types.
type TmcpInfo = tmcp.InfoSessionManager;
type TmcpClientInfo = Awaited<ReturnType<TmcpInfo["getClientInfo"]>>;
type TmcpCapabilities = Awaited<ReturnType<TmcpInfo["getClientCapabilities"]>>;
type TmcpLogLevel = Awaited<ReturnType<TmcpInfo["getLogLevel"]>>;

interface TmcpSession {
  info?: TmcpClientInfo;
  capabilities?: TmcpCapabilities;
  level?: TmcpLogLevel;
  readonly uris: Set<string>;
}

class CustomTmcpInfoManager extends tmcp.InfoSessionManager {
  readonly #sessions: Map<string, TmcpSession> = new Map();

  override async getClientInfo(id: string) {
    return (await this.#known(id)).info;
  }

  override setClientInfo(id: string, info: TmcpClientInfo) {
    this.#session(id).info = info;
  }

  override async getClientCapabilities(id: string) {
    return (await this.#known(id)).capabilities;
  }

  override setClientCapabilities(id: string, capabilities: TmcpCapabilities) {
    this.#session(id).capabilities = capabilities;
  }

  override async getLogLevel(id: string) {
    return (await this.#known(id)).level;
  }

  override setLogLevel(id: string, level: TmcpLogLevel) {
    this.#session(id).level = level;
  }

  override getSubscriptions(uri: string) {
    const subscribed = [...this.#sessions].filter(([, { uris }]) =>
      uris.has(uri)
    );
    return Promise.resolve(subscribed.map(([id]) => id));
  }

  override addSubscription(id: string, uri: string) {
    this.#session(id).uris.add(uri);
  }

  override removeSubscription(id: string, uri: string) {
    this.#session(id).uris.delete(uri);
  }

  override delete(id: string) {
    this.#sessions.delete(id);
  }

  #session(id: string): TmcpSession {
    const session = this.#sessions.get(id) ?? { uris: new Set() };
    this.#sessions.set(id, session);
    return session;
  }

  #known(id: string): Promise<TmcpSession> {
    const session = this.#sessions.get(id);
    return session === undefined
      ? Promise.reject(new Error(`No session "${id}".`))
      : Promise.resolve(session);
  }
}

class CustomStreamManager extends StreamSessionManager {
  readonly #controllers: Map<string, ReadableStreamDefaultController> =
    new Map();
  readonly #encoder = new TextEncoder();

  override create(id: string, controller: ReadableStreamDefaultController) {
    this.#controllers.set(id, controller);
  }

  override delete(id: string) {
    const controller = this.#controllers.get(id);
    this.#controllers.delete(id);
    try {
      controller?.close();
    } catch {
      // The stream was cancelled.
    }
  }

  override has(id: string) {
    return this.#controllers.has(id);
  }

  override send(sessions: string[] | undefined, data: string) {
    for (const id of sessions ?? this.#controllers.keys()) {
      this.#controllers.get(id)?.enqueue(this.#encoder.encode(data));
    }
  }
}

class CustomSubscriptionManager extends SubscriptionManager {
  #subscribed: (Subscription & SubscriptionCallbacks)[] = [];

  override async create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ) {
    const { id, origin } = subscription;
    if (this.#subscribed.some((s) => s.id === id && s.origin === origin)) {
      return false;
    }
    this.#subscribed.push({ ...subscription, ...callbacks });
    await callbacks.acknowledge();
    return true;
  }

  override async send(notification: JSONRPCNotification) {
    for (const { filters, send } of this.#subscribed) {
      if (matchesSubscription(filters, notification)) await send(notification);
    }
  }

  override async close(
    id: string | number,
    origin: string,
    reason: SubscriptionCloseReason,
  ) {
    const ended = this.#subscribed.filter((s) =>
      s.id === id && s.origin === origin
    );
    await this.#end(ended, reason);
    return ended.length > 0;
  }

  override async closeAll(
    origin?: string,
    reason: SubscriptionCloseReason = "cancelled",
  ) {
    await this.#end(
      this.#subscribed.filter((s) =>
        origin === undefined || s.origin === origin
      ),
      reason,
    );
  }

  async #end(
    ended: SubscriptionCallbacks[],
    reason: SubscriptionCloseReason,
  ): Promise<void> {
    this.#subscribed = this.#subscribed.filter((s) => !ended.includes(s));
    for (const { close } of ended) await close(reason);
  }
}
