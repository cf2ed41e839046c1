// The types are the test: this file has to pass the type check against the real
// packages. What runs proves that the classes also work where they fit.
import * as ours from "@crossmcp/session-manager";
import { assertEquals, assertInstanceOf } from "@std/assert";
import * as theirs from "@tmcp/session-manager";
import { HttpTransport, type HttpTransportOptions } from "@tmcp/transport-http";
import { SseTransport, type SseTransportOptions } from "@tmcp/transport-sse";
import { describe, it } from "node:test";
import { type Context, McpServer } from "tmcp";

type SessionInfo = NonNullable<Context["sessionInfo"]>;

/** Fails the type check where `From` does not fit `To`. */
function fits<To>(from: To): To {
  return from;
}

/** A manager of a user's own, on our contract. */
class OwnStreams extends ours.StreamSessionManager {
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

/** A manager of a user's own, on tmcp's contract. */
class OwnInfo extends theirs.InfoSessionManager {
  override getClientInfo(): Promise<SessionInfo["clientInfo"]> {
    return Promise.resolve({ name: "own", version: "1" });
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

/** As a server on tmcp's package may have it: setters that return nothing. */
class LoggingInfo extends ours.InMemoryInfoSessionManager {
  readonly levels: string[] = [];
  override setLogLevel(id: string, level: ours.LoggingLevel) {
    this.levels.push(level);
    super.setLogLevel(id, level);
  }
}

describe("the types", () => {
  it("let our managers stand where tmcp's are expected", () => {
    fits<theirs.StreamSessionManager>(new ours.InMemoryStreamSessionManager());
    fits<theirs.InfoSessionManager>(new ours.InMemoryInfoSessionManager());
    fits<theirs.SubscriptionManager>(new ours.InMemorySubscriptionManager());
    fits<theirs.StreamSessionManager>(new OwnStreams());
    fits<theirs.InfoSessionManager>(new LoggingInfo());
    fits<(streams: ours.StreamSessionManager) => theirs.StreamSessionManager>(
      (streams) => streams,
    );
    fits<(info: ours.InfoSessionManager) => theirs.InfoSessionManager>(
      (info) => info,
    );
    fits<
      (subscriptions: ours.SubscriptionManager) => theirs.SubscriptionManager
    >((subscriptions) => subscriptions);
  });

  it("let tmcp's managers stand where ours are expected", () => {
    fits<ours.StreamSessionManager>(new theirs.InMemoryStreamSessionManager());
    fits<ours.InfoSessionManager>(new theirs.InMemoryInfoSessionManager());
    fits<ours.SubscriptionManager>(new theirs.InMemorySubscriptionManager());
    fits<ours.InfoSessionManager>(new OwnInfo());
    fits<(streams: theirs.StreamSessionManager) => ours.StreamSessionManager>(
      (streams) => streams,
    );
    fits<(info: theirs.InfoSessionManager) => ours.InfoSessionManager>(
      (info) => info,
    );
    fits<
      (subscriptions: theirs.SubscriptionManager) => ours.SubscriptionManager
    >((subscriptions) => subscriptions);
  });

  it("agree on what is stored and routed", () => {
    fits<(value: ours.ClientInfo) => SessionInfo["clientInfo"]>((value) =>
      value
    );
    fits<(value: NonNullable<SessionInfo["clientInfo"]>) => ours.ClientInfo>(
      (value) => value,
    );
    fits<(value: ours.ClientCapabilities) => SessionInfo["clientCapabilities"]>(
      (value) => value,
    );
    fits<
      (
        value: NonNullable<SessionInfo["clientCapabilities"]>,
      ) => ours.ClientCapabilities
    >((value) => value);
    fits<(value: ours.LoggingLevel) => SessionInfo["logLevel"]>((value) =>
      value
    );
    fits<(value: NonNullable<SessionInfo["logLevel"]>) => ours.LoggingLevel>(
      (value) => value,
    );
    fits<(value: ours.Subscription) => theirs.Subscription>((value) => value);
    fits<(value: theirs.Subscription) => ours.Subscription>((value) => value);
    fits<
      (value: ours.SubscriptionCallbacks) => theirs.SubscriptionCallbacks
    >((value) => value);
    fits<
      (value: theirs.SubscriptionCallbacks) => ours.SubscriptionCallbacks
    >((value) => value);
    fits<typeof theirs.matchesSubscription>(ours.matchesSubscription);
    fits<typeof ours.matchesSubscription>(theirs.matchesSubscription);
  });

  it("let transports take ours, tmcp's and a user's own in any mix", async () => {
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
        sessionManager: { streams: sessions.streams, info: new OwnInfo() },
      },
      {
        path: "/mcp",
        sessionManager: { streams: new OwnStreams(), info: sessions.info },
      },
    ];
    const sse: SseTransportOptions[] = [
      { path: "/sse", sessionManager: sessions },
      {
        path: "/sse",
        sessionManager: { streams: new OwnStreams(), info: new OwnInfo() },
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

  it("refuse what does not fit", () => {
    // Each line has to be an error, or the type check fails.
    // @ts-expect-error An unknown log level.
    fits<ours.LoggingLevel>("loud");
    // @ts-expect-error A client without a version.
    fits<ours.ClientInfo>({ name: "x" });
    // @ts-expect-error Contracts cannot be made.
    const make = () => new ours.StreamSessionManager();
    // @ts-expect-error An option that does not exist.
    fits<ours.InMemorySessionsOptions>({ streams: { maxSession: 1 } });
    assertEquals(typeof make, "function");
  });
});
