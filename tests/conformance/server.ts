/**
 * The server that the conformance suite tests. It prints its address, and ends
 * when its standard input does.
 *
 * ```sh
 * deno run -A tests/conformance/server.ts tmcp     tmcp with its own managers
 * deno run -A tests/conformance/server.ts guarded  with ours, behind the guard
 * deno run -A tests/conformance/server.ts replay   the same, with replay
 * deno run -A tests/conformance/server.ts sdk      the official SDK alone
 * deno run -A tests/conformance/server.ts handled  behind createSdkHandler
 * ```
 */
import {
  InMemorySessions,
  type StreamOptions,
} from "@crossmcp/session-manager";
import {
  InMemoryInfoSessionManager,
  InMemoryStreamSessionManager,
  InMemorySubscriptionManager,
} from "@tmcp/session-manager";
import { HttpTransport, type HttpTransportOptions } from "@tmcp/transport-http";
import { McpServer } from "tmcp";
import { serve } from "../e2e/support/serve.ts";
import {
  addClientRequestTools,
  addRetryTools,
} from "./client_request_tools.ts";
import { addPrompts, addResources } from "./contents.ts";
import { EarlyEnd } from "./early_end.ts";
import { type JsonSchema, PassThroughAdapter } from "./json_schema.ts";
import { sdkAlone, sdkHandled } from "./sdk_servers.ts";
import { addTools } from "./tools.ts";

const earlyEnd = new EarlyEnd();

function createMcpServer(): McpServer<JsonSchema> {
  const mcp = new McpServer<JsonSchema>(
    { name: "conformance", version: "1.0.0" },
    {
      adapter: new PassThroughAdapter(),
      capabilities: {
        completions: {},
        logging: {},
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        tools: { listChanged: true },
      },
    },
  );
  addTools(mcp, earlyEnd.now);
  addClientRequestTools(mcp);
  addRetryTools(mcp);
  addResources(mcp);
  addPrompts(mcp);
  return mcp;
}

function createTransport(
  sessionManager: NonNullable<HttpTransportOptions["sessionManager"]>,
  subscriptionManager: NonNullable<HttpTransportOptions["subscriptionManager"]>,
): HttpTransport {
  return new HttpTransport(createMcpServer(), {
    path: "/mcp",
    allowedOrigins: [],
    sessionManager,
    subscriptionManager,
  });
}

type Handler = (request: Request) => Promise<Response>;

function tmcpAlone(): Handler {
  const transport = createTransport({
    streams: new InMemoryStreamSessionManager(),
    info: new InMemoryInfoSessionManager(),
  }, new InMemorySubscriptionManager());
  return async (request) =>
    await transport.respond(request) ?? new Response(null, { status: 404 });
}

function guarded(streams: StreamOptions): Handler {
  const sessions = new InMemorySessions({
    streams,
    onError: (error) => console.error(error),
  });
  const transport = createTransport(sessions, sessions.subscriptions);
  return (request) =>
    sessions.guard(request, (request) => transport.respond(request));
}

const SERVERS: Record<string, () => Handler> = {
  tmcp: tmcpAlone,
  guarded: () => guarded({}),
  replay: () => guarded({ replay: {} }),
  sdk: () => sdkAlone(earlyEnd.now),
  handled: () => sdkHandled(earlyEnd.now),
};

const handler = SERVERS[Deno.args[0] ?? ""]?.();
if (handler === undefined) {
  console.error(`Expected one of ${Object.keys(SERVERS).join(", ")}.`);
  Deno.exit(2);
}
const server = await serve((request) => earlyEnd.respond(request, handler));
console.log(`${server.url}/mcp`);
// The parent process may be killed, but its pipe closes in any case.
for await (const _ of Deno.stdin.readable);
Deno.exit();
