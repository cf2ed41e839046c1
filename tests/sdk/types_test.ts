// The type check is the test: this file must compile against both versions of
// the official SDK. The parts that run show that misuse is refused at run time.
import { InMemorySessions } from "@crossmcp/session-manager";
import {
  createEventStore,
  createSdkHandler,
  type SdkAuthInfo,
  type SdkEventStore,
  type SdkHandlerOptions,
  type SdkTransportClass,
  serverEventBus,
} from "@crossmcp/session-manager/sdk";
import * as modern from "@modelcontextprotocol/server";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/server"
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import {
  type EventStore,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";

const INFO = { name: "types", version: "1.0.0" };

/** Fails the type check if the value is not assignable to `To`. */
function assignable<To>(value: To): To {
  return value;
}

describe("Types of the official SDK", () => {
  it("low-level servers and their transports fit, in both versions", () => {
    createSdkHandler({
      sessions: new InMemorySessions(),
      createServer: () => new Server(INFO),
      Transport: WebStandardStreamableHTTPServerTransport,
    });
    createSdkHandler({
      sessions: new InMemorySessions(),
      createServer: () => Promise.resolve(new modern.Server(INFO)),
      Transport: modern.WebStandardStreamableHTTPServerTransport,
      createMcpHandler: modern.createMcpHandler,
    });
  });

  it("the event bus and the caller are those of the SDK", () => {
    const bus = serverEventBus(new InMemorySessions());
    assignable<modern.ServerEventBus>(bus);
    assignable<(info: modern.AuthInfo) => SdkAuthInfo>((info) => info);
    assignable<(info: SdkAuthInfo) => modern.AuthInfo>((info) => info);
  });

  it("the event store is that of the SDK, in both versions", () => {
    const sessions = new InMemorySessions({ streams: { replay: {} } });
    const eventStore = createEventStore(sessions, "s");
    assignable<EventStore>(eventStore);
    assignable<modern.EventStore>(eventStore);
    new WebStandardStreamableHTTPServerTransport({ eventStore });
    new modern.WebStandardStreamableHTTPServerTransport({ eventStore });
    // @ts-expect-error a map stores no events
    assignable<SdkEventStore>(new Map());
    // @ts-expect-error a message is an object
    const store = () => eventStore.storeEvent("stream", "text");
    assertEquals(typeof store, "function");
  });

  it("what does not fit is refused, by types and at run time", () => {
    const sessions = new InMemorySessions();
    const { WebStandardStreamableHTTPServerTransport: Transport } = modern;
    const createServer = () => new modern.McpServer(INFO);
    const refused = (create: () => unknown): string =>
      (assertThrows(create) as Error & { argument: string }).argument;
    const wrong = [
      { sessions, createServer: createServer(), Transport },
      { sessions, createServer, Transport: new Transport() },
      { session: sessions, createServer, Transport },
      { sessions: {}, createServer, Transport },
    ];
    assertEquals(
      wrong.map((options) => refused(() => createSdkHandler(options as never))),
      ["createServer", "Transport", "session", "sessions"],
    );
    // @ts-expect-error an object, not the class
    assignable<SdkTransportClass>(new Transport());
    // @ts-expect-error a map cannot answer requests
    assignable<SdkTransportClass>(Map);
    // @ts-expect-error a map cannot connect
    assignable<SdkHandlerOptions["createServer"]>(() => new Map());
  });

  it("sessions have one handler", () => {
    const sessions = new InMemorySessions();
    const options = {
      sessions,
      createServer: () => new modern.McpServer(INFO),
      Transport: modern.WebStandardStreamableHTTPServerTransport,
    };
    createSdkHandler(options);
    const error = assertThrows(() => createSdkHandler(options));
    assertEquals((error as { argument?: string }).argument, "sessions");
  });
});
