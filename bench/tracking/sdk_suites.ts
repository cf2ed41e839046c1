import {
  createMcpHandler,
  InMemoryServerEventBus,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import {
  InMemorySessions,
  type Sessions,
  type SessionsOptions,
} from "../../mod.ts";
import { BroadcastChannelBus } from "../../src/broadcast_channel/message_bus.ts";
import { ClusterSessions } from "../../src/cluster/mod.ts";
import { createSdkHandler, serverEventBus } from "../../src/sdk/mod.ts";
import { type Entrant, pairedRounds } from "../paired_rounds.ts";
import { type Suite, times } from "./figures.ts";
import { begin, caller, type Serve } from "./tool_calls.ts";

// The ID 1 is that of initialize.
const CALLS = { runs: 3, calls: 100, firstId: 2 };

function createServer(): McpServer {
  const server = new McpServer({ name: "bench", version: "1.0.0" });
  server.registerTool(
    "small",
    {},
    () => ({ content: [{ type: "text", text: "done" }] }),
  );
  return server;
}

/** The SDK's own transports, in a map. */
function withMap(): Serve {
  const transports = new Map<
    string,
    WebStandardStreamableHTTPServerTransport
  >();
  return async (request) => {
    const id = request.headers.get("mcp-session-id");
    const known = id === null ? undefined : transports.get(id);
    if (known !== undefined) return known.handleRequest(request);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
    });
    await createServer().connect(transport);
    return transport.handleRequest(request);
  };
}

function handled(sessions: Sessions): Serve {
  return createSdkHandler({
    sessions,
    createServer,
    Transport: WebStandardStreamableHTTPServerTransport,
  }).fetch;
}

const calls: Suite = {
  name: "sdk",
  isShort: true,
  run: async (rounds) => {
    const create = (options: SessionsOptions) => new InMemorySessions(options);
    const [plain, replay] = [
      create({}),
      create({ streams: { replay: {} } }),
    ];
    const took = await pairedRounds({
      map: await caller(withMap(), CALLS),
      plain: await caller(handled(plain), CALLS),
      replay: await caller(handled(replay), CALLS),
    }, rounds);
    for (const sessions of [plain, replay]) await sessions.close();
    const id = "a small tool call, official SDK";
    return {
      figures: [
        times(`${id}: handler / a map`, took.plain, took.map, 1.1),
        times(`${id}: handler with replay / a map`, took.replay, took.map),
      ],
    };
  },
};

const forwarding: Suite = {
  name: "sdk-forwarding",
  isShort: false,
  run: async (rounds) => {
    const cluster = `bench ${crypto.randomUUID()}`;
    const nodes = ["a", "b"].map(() =>
      new ClusterSessions(new BroadcastChannelBus(cluster))
    );
    for (const { ready } of nodes) await ready;
    const [here, there] = nodes.map(handled) as [Serve, Serve];
    const id = await begin(here);
    const took = await pairedRounds({
      local: await caller(here, { ...CALLS, id }),
      remote: await caller(there, { ...CALLS, id }),
    }, rounds);
    for (const node of nodes) await node.close();
    return {
      figures: [
        times(
          "a small tool call, official SDK: on another node / on the same",
          took.remote,
          took.local,
          3,
        ),
      ],
    };
  },
};

const LISTENERS = 10_000;
const NODES = 4;
const LISTEN = {
  jsonrpc: "2.0",
  id: 1,
  method: "subscriptions/listen",
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

/** Listening streams, which count what they receive. */
class Listeners {
  received = 0;
  #done: () => void = () => {};
  #expected = 0;

  /** Opens a stream; resolves when it is acknowledged. */
  async open(serve: (request: Request) => Promise<Response>): Promise<void> {
    const response = await serve(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "accept": "application/json, text/event-stream",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "subscriptions/listen",
        },
        body: JSON.stringify(LISTEN),
      }),
    );
    if (!response.ok) throw new Error(await response.text());
    const reader = response.body!.getReader();
    await reader.read();
    void this.#count(reader);
  }

  /** Resolves when every stream has received so many more events. */
  async after(events: number, publish: () => void): Promise<void> {
    this.#expected = this.received + events;
    const done = new Promise<void>((resolve) => this.#done = resolve);
    publish();
    await done;
  }

  async #count(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<void> {
    while (!(await reader.read()).done) {
      if (++this.received === this.#expected) this.#done();
    }
  }
}

const publishing: Suite = {
  name: "sdk-publish",
  isShort: false,
  run: async (rounds) => {
    const create = (bus: InMemoryServerEventBus) =>
      createMcpHandler(createServer, {
        legacy: "reject",
        maxSubscriptions: LISTENERS,
        bus,
      });
    const cluster = `bench ${crypto.randomUUID()}`;
    const nodes = Array.from(
      { length: NODES },
      () => new ClusterSessions(new BroadcastChannelBus(cluster)),
    );
    for (const { ready } of nodes) await ready;
    const buses = nodes.map((sessions) => serverEventBus(sessions));
    const shared = buses.map((bus) => create(bus as InMemoryServerEventBus));
    const own = new InMemoryServerEventBus();
    const single = create(own);
    const [ours, theirs] = [new Listeners(), new Listeners()];
    for (let at = 0; at < LISTENERS; at++) {
      await ours.open((request) => shared[at % NODES]!.fetch(request));
      await theirs.open((request) => single.fetch(request));
    }
    const entrant = (
      listeners: Listeners,
      bus: Pick<InMemoryServerEventBus, "publish">,
    ): Entrant => ({
      prepare: () => {},
      finish: () => Promise.resolve(),
      runs: 5,
      run: () =>
        listeners.after(
          LISTENERS,
          () => bus.publish({ kind: "tools_list_changed" }),
        ),
    });
    const took = await pairedRounds({
      ours: entrant(ours, buses[0]!),
      theirs: entrant(theirs, own),
    }, rounds);
    await Promise.all([...shared, single].map((handler) => handler.close()));
    for (const node of nodes) await node.close();
    return {
      figures: [
        times(
          `publish to ${LISTENERS} listening streams, official SDK: ` +
            `${NODES} nodes / its own bus on one`,
          took.ours,
          took.theirs,
          1,
        ),
      ],
    };
  },
};

/** What `createSdkHandler` and the event bus cost. */
export const SDK_SUITES: readonly Suite[] = [calls, forwarding, publishing];
