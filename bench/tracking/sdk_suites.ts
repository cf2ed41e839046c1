import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { InMemorySessions, type SessionsOptions } from "../../mod.ts";
import { pairedRounds } from "../paired_rounds.ts";
import { type Suite, times } from "./figures.ts";
import { createSdkServer, handled } from "./mcp_servers.ts";
import { caller, type Serve } from "./tool_calls.ts";

// The ID 1 is that of initialize.
const CALLS = { runs: 3, calls: 100, firstId: 2 };

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
    await createSdkServer().connect(transport);
    return transport.handleRequest(request);
  };
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

/** What `createSdkHandler` costs. */
export const SDK_SUITES: readonly Suite[] = [calls];
