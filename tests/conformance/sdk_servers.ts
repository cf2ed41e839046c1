import { InMemorySessions } from "@crossmcp/session-manager";
import {
  createSdkHandler,
  serverEventBus,
} from "@crossmcp/session-manager/sdk";
import { InMemoryEventStore } from "@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js";
import {
  classifyInboundRequest,
  createMcpHandler,
  isInitializeRequest,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { addSdkPrompts, addSdkResources } from "./sdk_contents.ts";
import { addSdkTools, type Surroundings } from "./sdk_tools.ts";

type Handler = (request: Request) => Promise<Response>;

function createServer(surroundings: Surroundings): Server {
  const server = new Server({ name: "conformance", version: "1.0.0" }, {
    capabilities: {
      completions: {},
      logging: {},
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      tools: { listChanged: true },
    },
  });
  addSdkTools(server, surroundings);
  addSdkResources(server);
  addSdkPrompts(server);
  return server;
}

/** The SDK's own handler and transports, with its event store, in a map. */
export function sdkAlone(earlyEnd: () => void): Handler {
  const surroundings: Surroundings = {
    earlyEnd,
    publish: (kind) => perRequest.bus.publish({ kind }),
  };
  const perRequest = createMcpHandler(() => createServer(surroundings), {
    legacy: "reject",
  });
  const transports = new Map<
    string,
    WebStandardStreamableHTTPServerTransport
  >();
  return async (request) => {
    const body = await request.clone().json().catch(() => undefined);
    const version = header(request, "mcp-protocol-version");
    const method = header(request, "mcp-method");
    const { kind } = classifyInboundRequest({
      httpMethod: request.method,
      ...version !== undefined && { protocolVersionHeader: version },
      ...method !== undefined && { mcpMethodHeader: method },
      body,
    });
    if (kind !== "legacy") return await perRequest.fetch(request);
    const id = header(request, "mcp-session-id");
    const known = transports.get(id ?? "");
    if (known !== undefined) return await known.handleRequest(request);
    if (id !== undefined && !isInitializeRequest(body)) {
      const error = { code: -32001, message: "Session not found" };
      const answer = { jsonrpc: "2.0", id: null, error };
      return Response.json(answer, { status: 404 });
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
      onsessionclosed: (id) => void transports.delete(id),
      retryInterval: 500,
      eventStore: new InMemoryEventStore() as never,
    });
    await createServer(surroundings).connect(transport);
    return await transport.handleRequest(request);
  };
}

/** The same server behind `createSdkHandler`. */
export function sdkHandled(earlyEnd: () => void): Handler {
  const sessions = new InMemorySessions({
    streams: { replay: {} },
    onError: (error) => console.error(error),
  });
  const bus = serverEventBus(sessions);
  const publish: Surroundings["publish"] = (kind) => bus.publish({ kind });
  return createSdkHandler({
    sessions,
    createServer: () => createServer({ earlyEnd, publish }),
    Transport: WebStandardStreamableHTTPServerTransport,
    createMcpHandler,
  }).fetch;
}

function header({ headers }: Request, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}
