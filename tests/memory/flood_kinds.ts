import type {
  InMemorySessions,
  RefusalReason,
} from "@crossmcp/session-manager";
import {
  TestClient,
  type TestClientOptions,
} from "../../src/testing/support/test_client.ts";

/** The options of the sessions that are flooded. */
export const FLOODED = {
  streams: { replay: {} },
  info: { maxSessions: 100 },
  http: { bodyTimeoutMs: 20, maxBodyBytes: 10_000 },
} as const;

/** A kind of request that hostile clients send. */
export interface Flood {
  readonly name: string;
  /** Why it is refused; empty if it is served. */
  readonly refused: readonly RefusalReason[];
  /** How many are sent at the same time; defaults to 50. */
  readonly atOnce?: number;
  /** Whether its principals are remembered for a while. */
  readonly isRemembered?: true;
  readonly send: () => Promise<Response>;
}

/** The sessions of two clients that exist before the floods. */
export interface FloodedClients {
  readonly honest: TestClient;
  readonly mallory: TestClient;
}

const CHUNK = new Uint8Array(4_000).fill(0x20);
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { clientInfo: { name: "a", version: "1" }, capabilities: {} },
};
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

/** Returns all kinds. The first one is not hostile: the others compare to it. */
export function floodsOf(
  sessions: InMemorySessions,
  { honest, mallory }: FloodedClients,
): readonly Flood[] {
  const client = (options?: TestClientOptions) =>
    new TestClient(sessions, options);
  // A client remembers the requests of its transport.
  const ofMallory = () => client({ id: mallory.id, principal: "mallory" });
  const unknown = () => client({ id: crypto.randomUUID() });
  const scan = (of: TestClient, lastEventId: string) =>
    of.request("GET", { "last-event-id": lastEventId });
  const epoch = sessions.streams.latestEventId!.split("-")[0];
  const offset = () => Math.floor(Math.random() * 20_000);
  const name = () => crypto.randomUUID().replaceAll("-", "");
  return [
    {
      name: "ping of a session, for comparison",
      refused: [],
      send: () => ofMallory().request("POST", {}, PING),
    },
    {
      name: "initialize of one principal",
      refused: ["tooManySessions", "unavailable"],
      isRemembered: true,
      send: () =>
        client({ principal: "mallory" }).request("POST", {}, INITIALIZE),
    },
    {
      name: "initialize of many principals",
      refused: ["unavailable"],
      isRemembered: true,
      send: () =>
        client({ principal: crypto.randomUUID() })
          .request("POST", {}, INITIALIZE),
    },
    {
      name: "initialize without a principal",
      refused: ["unavailable"],
      send: () => client().request("POST", {}, INITIALIZE),
    },
    {
      name: "initialize with a random session ID",
      refused: ["unavailable"],
      send: () => unknown().request("POST", {}, INITIALIZE),
    },
    {
      name: "GET without a session",
      refused: ["missingSession"],
      send: () => client().request("GET"),
    },
    {
      name: "GET with an invalid session ID",
      refused: ["invalidSession"],
      send: () => client({ id: "a b" }).request("GET"),
    },
    {
      name: "GET of a random session",
      refused: ["unknownSession"],
      send: () => unknown().request("GET"),
    },
    {
      name: "DELETE of a random session",
      refused: ["unknownSession"],
      send: () => unknown().request("DELETE"),
    },
    {
      name: "POST to a random session",
      refused: ["unknownSession"],
      send: () => unknown().request("POST", {}, PING),
    },
    {
      name: "Last-Event-ID of a random session",
      refused: ["unknownSession"],
      send: () => scan(unknown(), `${epoch}-${offset()}`),
    },
    {
      name: "Last-Event-ID of somebody else's session",
      refused: ["unknownSession"],
      send: () =>
        scan(
          client({ id: honest.id, principal: "mallory" }),
          `${epoch}-${offset()}`,
        ),
    },
    {
      name: "Last-Event-ID of its own session",
      refused: [],
      send: () => scan(ofMallory(), `${epoch}-${offset()}`),
    },
    {
      name: "Last-Event-ID of a random request",
      refused: ["unknownEvent"],
      send: () => scan(ofMallory(), `${epoch}-${offset()}~${name()}`),
    },
    {
      name: "body that never ends",
      refused: ["tooLarge"],
      send: () => upload(unknown(), (controller) => controller.enqueue(CHUNK)),
    },
    {
      name: "body that stops",
      refused: ["slowBody"],
      atOnce: 1_000,
      send: () => upload(unknown(), () => new Promise(() => {})),
    },
  ];
}

/** Sends a request with a body of unknown length. */
function upload(
  client: TestClient,
  pull: UnderlyingDefaultSource<Uint8Array>["pull"] & object,
): Promise<Response> {
  return client.send(
    new Request("http://localhost/mcp", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "mcp-session-id": client.id,
      },
      body: new ReadableStream({ pull }, { highWaterMark: 0 }),
      duplex: "half",
    } as RequestInit),
  );
}
