// The type check is the test: this file must compile against the real packages.
// The parts that run show that the classes also work.
import * as ours from "@crossmcp/session-manager";
import { assertEquals, assertInstanceOf } from "@std/assert";
import * as theirs from "@tmcp/session-manager";
import { HttpTransport, type HttpTransportOptions } from "@tmcp/transport-http";
import { SseTransport, type SseTransportOptions } from "@tmcp/transport-sse";
import { describe, it } from "node:test";
import { type Context, McpServer } from "tmcp";

type SessionInfo = NonNullable<Context["sessionInfo"]>;

/** Fails the type check if the value is not assignable to `To`. */
function assignable<To>(value: To): To {
  return value;
}

/** A custom manager that extends our contract. */
class CustomStreams extends ours.StreamSessionManager {
  override create(_: string, controller: ReadableStreamDefaultController) {
    controller.close();
    return Promise.resolve();
  }
  override delete() {}
  override has() {
    return false;
  }
  override send(_: string[] | undefined) {}
}

/** A custom manager that extends tmcp's contract. */
class CustomInfo extends theirs.InfoSessionManager {
  override getClientInfo(): Promise<SessionInfo["clientInfo"]> {
    return Promise.resolve({ name: "custom", version: "1" });
  }
  override setClientInfo(_: string, info: SessionInfo["clientInfo"]) {
    void info?.name;
  }
  override getClientCapabilities(): Promise<SessionInfo["clientCapabilities"]> {
    return Promise.resolve({ roots: { listChanged: true } });
  }
  override setClientCapabilities() {}
  override getLogLevel(): Promise<SessionInfo["logLevel"]> {
    return Promise.resolve("info");
  }
  override setLogLevel() {}
  override getSubscriptions(): Promise<string[]> {
    return Promise.resolve([]);
  }
  override addSubscription() {}
  override removeSubscription() {}
  override delete() {}
}

/** A manager whose setters return nothing, as tmcp allows. */
class LoggingInfo extends ours.InMemoryInfoSessionManager {
  readonly levels: string[] = [];
  override setLogLevel(id: string, level: ours.LoggingLevel) {
    this.levels.push(level);
    super.setLogLevel(id, level);
  }
}

describe("Types", () => {
  it("our managers are assignable to tmcp's contracts", () => {
    assignable<theirs.StreamSessionManager>(
      new ours.InMemoryStreamSessionManager(),
    );
    assignable<theirs.InfoSessionManager>(
      new ours.InMemoryInfoSessionManager(),
    );
    assignable<theirs.SubscriptionManager>(
      new ours.InMemorySubscriptionManager(),
    );
    assignable<theirs.StreamSessionManager>(new CustomStreams());
    assignable<theirs.InfoSessionManager>(new LoggingInfo());
    assignable<
      (streams: ours.StreamSessionManager) => theirs.StreamSessionManager
    >(
      (streams) => streams,
    );
    assignable<(info: ours.InfoSessionManager) => theirs.InfoSessionManager>(
      (info) => info,
    );
    assignable<
      (subscriptions: ours.SubscriptionManager) => theirs.SubscriptionManager
    >((subscriptions) => subscriptions);
  });

  it("tmcp's managers are assignable to our contracts", () => {
    assignable<ours.StreamSessionManager>(
      new theirs.InMemoryStreamSessionManager(),
    );
    assignable<ours.InfoSessionManager>(
      new theirs.InMemoryInfoSessionManager(),
    );
    assignable<ours.SubscriptionManager>(
      new theirs.InMemorySubscriptionManager(),
    );
    assignable<ours.InfoSessionManager>(new CustomInfo());
    assignable<
      (streams: theirs.StreamSessionManager) => ours.StreamSessionManager
    >(
      (streams) => streams,
    );
    assignable<(info: theirs.InfoSessionManager) => ours.InfoSessionManager>(
      (info) => info,
    );
    assignable<
      (subscriptions: theirs.SubscriptionManager) => ours.SubscriptionManager
    >((subscriptions) => subscriptions);
  });

  it("the types of metadata and subscriptions are interchangeable", () => {
    assignable<(value: ours.ClientInfo) => SessionInfo["clientInfo"]>((value) =>
      value
    );
    assignable<
      (value: NonNullable<SessionInfo["clientInfo"]>) => ours.ClientInfo
    >(
      (value) => value,
    );
    assignable<
      (value: ours.ClientCapabilities) => SessionInfo["clientCapabilities"]
    >(
      (value) => value,
    );
    assignable<
      (
        value: NonNullable<SessionInfo["clientCapabilities"]>,
      ) => ours.ClientCapabilities
    >((value) => value);
    assignable<(value: ours.LoggingLevel) => SessionInfo["logLevel"]>((value) =>
      value
    );
    assignable<
      (value: NonNullable<SessionInfo["logLevel"]>) => ours.LoggingLevel
    >(
      (value) => value,
    );
    assignable<(value: ours.Subscription) => theirs.Subscription>((value) =>
      value
    );
    assignable<(value: theirs.Subscription) => ours.Subscription>((value) =>
      value
    );
    assignable<
      (value: ours.SubscriptionCallbacks) => theirs.SubscriptionCallbacks
    >((value) => value);
    assignable<
      (value: theirs.SubscriptionCallbacks) => ours.SubscriptionCallbacks
    >((value) => value);
    assignable<typeof theirs.matchesSubscription>(ours.matchesSubscription);
    assignable<typeof ours.matchesSubscription>(theirs.matchesSubscription);
  });

  it("transports accept any mix of our, tmcp's and custom managers", async () => {
    const sessions: ours.Sessions = new ours.InMemorySessions();
    const server = new McpServer(
      { name: "types", version: "1.0.0" },
      { adapter: undefined, capabilities: { tools: { listChanged: true } } },
    );
    const http: HttpTransportOptions[] = [
      {
        path: "/mcp",
        sessionManager: sessions,
        subscriptionManager: sessions.subscriptions,
      },
      {
        path: "/mcp",
        sessionManager: { streams: sessions.streams, info: new CustomInfo() },
      },
      {
        path: "/mcp",
        sessionManager: { streams: new CustomStreams(), info: sessions.info },
      },
    ];
    const sse: SseTransportOptions[] = [
      { path: "/sse", sessionManager: sessions },
      {
        path: "/sse",
        sessionManager: {
          streams: new CustomStreams(),
          info: new CustomInfo(),
        },
      },
    ];
    for (const options of http) {
      assertInstanceOf(new HttpTransport(server, options), HttpTransport);
    }
    for (const options of sse) {
      assertInstanceOf(new SseTransport(server, options), SseTransport);
    }
    await sessions.close();
  });

  it("values of the wrong type do not compile", () => {
    // Each of these lines must be an error, or the type check fails.
    // @ts-expect-error An unknown log level.
    assignable<ours.LoggingLevel>("loud");
    // @ts-expect-error A client without a version.
    assignable<ours.ClientInfo>({ name: "x" });
    // @ts-expect-error Contracts are abstract.
    const create = () => new ours.StreamSessionManager();
    // @ts-expect-error An option that does not exist.
    assignable<ours.InMemorySessionsOptions>({ streams: { maxSession: 1 } });
    assertEquals(typeof create, "function");
  });
});
