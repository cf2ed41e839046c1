import type { Sessions } from "@crossmcp/session-manager";
import {
  createSdkHandler,
  type SdkHandler,
  type SdkServerContext,
} from "@crossmcp/session-manager/sdk";
import * as modern from "@modelcontextprotocol/server";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/server/mcp"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  ElicitResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** The official SDK, in one of its major versions. */
export interface Sdk {
  readonly name: "1.x" | "2.x";
  /** Serves servers that report to a probe. */
  readonly serve: (
    sessions: Sessions,
    probe: Probe,
    options?: ServeOptions,
  ) => SdkHandler;
}

/** Options of the handler. */
export interface ServeOptions {
  readonly enableJsonResponse?: boolean;
  /** Called before each server is created. */
  readonly onCreate?: (context: SdkServerContext) => void;
}

/** What a test sees of its servers. */
export class Probe {
  /** How many servers are open. */
  open = 0;
  /** The URIs that clients subscribed to, with the session. */
  readonly subscribed: string[] = [];
  /** Ends the calls of the tool "wait". */
  release: () => void = () => {};
  /** How many calls of the tool "wait" are running. */
  waiting = 0;

  async wait(signal: AbortSignal): Promise<void> {
    this.waiting++;
    await new Promise<void>((resolve) => {
      this.release = resolve;
      signal.addEventListener("abort", () => resolve());
    });
    this.waiting--;
  }
}

const SERVER_INFO = { name: "end-to-end", version: "1.0.0" };
const CAPABILITIES = {
  logging: {},
  resources: { subscribe: true, listChanged: true },
  tools: { listChanged: true },
};
const QUESTION = {
  message: "What is your name?",
  requestedSchema: {
    type: "object" as const,
    properties: { name: { type: "string" as const } },
    required: ["name"],
  },
};

function textResult(value: unknown) {
  return { content: [{ type: "text" as const, text: JSON.stringify(value) }] };
}

/** Lets other work happen now and then. */
async function pause(progress: number): Promise<void> {
  if (progress % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
}

function createServer1(
  { sessionId, principal }: SdkServerContext,
  probe: Probe,
): McpServer {
  const server = new McpServer(SERVER_INFO, { capabilities: CAPABILITIES });
  const base = server.server;
  server.registerTool("who-am-i", {}, (extra) =>
    textResult({
      client: base.getClientVersion()?.name ?? null,
      principal: principal ?? null,
      token: extra.authInfo?.token ?? null,
      resource: extra.authInfo?.resource?.href ?? null,
      sessionId: extra.sessionId ?? null,
    }));
  server.registerTool("count", {}, async (extra) => {
    for (let data = 0; data < 20; data++) {
      const method = "notifications/message";
      await extra.sendNotification({ method, params: { level: "info", data } });
    }
    return textResult("counted");
  });
  server.registerTool(
    "count-to-100",
    {},
    async ({ sendNotification, _meta }) => {
      const { progressToken = "" } = _meta ?? {};
      const method = "notifications/progress";
      for (let progress = 1; progress <= 100; progress++) {
        await sendNotification({ method, params: { progressToken, progress } });
        await pause(progress);
      }
      return textResult(100);
    },
  );
  server.registerTool("ask", {}, async (extra) => {
    const answer = await extra.sendRequest(
      { method: "elicitation/create", params: QUESTION },
      ElicitResultSchema,
    );
    return textResult(answer.content?.name);
  });
  server.registerTool("wait", {}, async (extra) => {
    const method = "notifications/message";
    await extra.sendNotification({
      method,
      params: { level: "info", data: "waiting" },
    });
    await probe.wait(extra.signal);
    return textResult("waited");
  });
  server.registerTool("change", {}, () => {
    server.sendToolListChanged();
    return textResult("changed");
  });
  server.registerTool("log", {}, async () => {
    await server.sendLoggingMessage(
      { level: "debug", data: "logged" },
      sessionId,
    );
    return textResult("logged");
  });
  server.registerTool("quit", {}, () => {
    setTimeout(() => void server.close());
    return textResult("bye");
  });
  base.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    probe.subscribed.push(params.uri);
    return {};
  });
  base.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  track(base, probe);
  return server;
}

function createServer2(
  { principal }: SdkServerContext,
  probe: Probe,
): modern.McpServer {
  const server = new modern.McpServer(SERVER_INFO, {
    capabilities: CAPABILITIES,
  });
  const base = server.server;
  server.registerTool("who-am-i", {}, (context) =>
    textResult({
      client: base.getClientVersion()?.name ?? null,
      principal: principal ?? null,
      token: context.http?.authInfo?.token ?? null,
      resource: context.http?.authInfo?.resource?.href ?? null,
      sessionId: context.sessionId ?? null,
    }));
  server.registerTool("count", {}, async ({ mcpReq }) => {
    for (let data = 0; data < 20; data++) {
      const method = "notifications/message";
      await mcpReq.notify({ method, params: { level: "info", data } });
    }
    return textResult("counted");
  });
  server.registerTool("count-to-100", {}, async ({ mcpReq }) => {
    const { progressToken = "" } = mcpReq._meta ?? {};
    const method = "notifications/progress";
    for (let progress = 1; progress <= 100; progress++) {
      await mcpReq.notify({ method, params: { progressToken, progress } });
      await pause(progress);
    }
    return textResult(100);
  });
  server.registerTool("ask", {}, async ({ mcpReq }) => {
    const answer = await mcpReq.elicitInput(QUESTION);
    return textResult(answer.content?.name);
  });
  server.registerTool("wait", {}, async ({ mcpReq }) => {
    const method = "notifications/message";
    await mcpReq.notify({ method, params: { level: "info", data: "waiting" } });
    await probe.wait(mcpReq.signal);
    return textResult("waited");
  });
  server.registerTool("change", {}, () => {
    server.sendToolListChanged();
    return textResult("changed");
  });
  server.registerTool("log", {}, async ({ sessionId }) => {
    await server.sendLoggingMessage(
      { level: "debug", data: "logged" },
      sessionId,
    );
    return textResult("logged");
  });
  server.registerTool("quit", {}, () => {
    setTimeout(() => void server.close());
    return textResult("bye");
  });
  base.setRequestHandler("resources/subscribe", ({ params }) => {
    probe.subscribed.push(params.uri);
    return {};
  });
  base.setRequestHandler("resources/unsubscribe", () => ({}));
  track(base, probe);
  return server;
}

/** Counts open servers. */
function track(server: { onclose?: () => void }, probe: Probe): void {
  probe.open++;
  server.onclose = () => {
    probe.open--;
  };
}

/** Both major versions of the official SDK. */
export const SDKS: readonly Sdk[] = [
  {
    name: "1.x",
    serve: (sessions, probe, { onCreate, ...options } = {}) =>
      createSdkHandler({
        sessions,
        createServer: (context) => {
          onCreate?.(context);
          return createServer1(context, probe);
        },
        Transport: WebStandardStreamableHTTPServerTransport,
        ...options,
      }),
  },
  {
    name: "2.x",
    serve: (sessions, probe, { onCreate, ...options } = {}) =>
      createSdkHandler({
        sessions,
        createServer: (context) => {
          onCreate?.(context);
          return createServer2(context, probe);
        },
        Transport: modern.WebStandardStreamableHTTPServerTransport,
        createMcpHandler: modern.createMcpHandler,
        ...options,
      }),
  },
];
