// Unmodified servers of other authors, from npm.
import type { Sessions } from "@crossmcp/session-manager";
import {
  createSdkHandler,
  type SdkHandler,
} from "@crossmcp/session-manager/sdk";
import {
  createMcpHandler,
  WebStandardStreamableHTTPServerTransport as Transport2,
} from "@modelcontextprotocol/server";
import * as budget from "@modelcontextprotocol/server-budget-allocator";
import * as customers from "@modelcontextprotocol/server-customer-segmentation";
// It has no types.
// @ts-expect-error: as above
import * as untyped from "@modelcontextprotocol/server-everything/dist/server/index.js";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import { WebStandardStreamableHTTPServerTransport as Transport1 } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  CreateMessageRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, type Fetch } from "../e2e/support/clients.ts";
import { until } from "../e2e/support/until.ts";
import { type Nodes, NODES_URL, startNodes } from "./support/nodes.ts";

const everything: {
  createServer(): {
    readonly server: McpServer;
    readonly cleanup: (sessionId: string | undefined) => void;
  };
} = untyped;

/** Serves `@modelcontextprotocol/server-everything`, as its own program does. */
function serveEverything(sessions: Sessions): SdkHandler {
  return createSdkHandler({
    sessions,
    createServer: ({ sessionId }) => {
      const { server, cleanup } = everything.createServer();
      server.server.onclose = () => cleanup(sessionId);
      return server;
    },
    Transport: Transport1,
  });
}

const SERVERS_2 = [
  {
    name: "server-budget-allocator",
    createServer: budget.createServer,
    tool: "get-budget-data",
    args: {},
  },
  {
    name: "server-customer-segmentation",
    createServer: customers.createServer,
    tool: "get-customer-data",
    args: { segment: "All" },
  },
];

/** Starts three nodes; each request goes to another one. */
function startThree(
  serve: (sessions: Sessions) => SdkHandler,
): Promise<Nodes> {
  return startNodes({ name: "1.x", serve });
}

function textOf(result: unknown): string {
  const { content } = result as { content: { text?: string }[] };
  return content.map(({ text }) => text ?? "").join("\n");
}

/** Connects a client that can do everything that the server asks for. */
async function connect(fetch: Fetch, sessions: Sessions) {
  const connected = await connectHttp(NODES_URL, sessions.streams, {
    fetch,
    capabilities: { sampling: {}, roots: { listChanged: true } },
  });
  const { client } = connected;
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: "test",
    role: "assistant",
    content: { type: "text", text: "sampled" },
  }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({
    roots: [{ uri: "file:///project", name: "project" }],
  }));
  return connected;
}

describe("@modelcontextprotocol/server-everything behind the handler, on three nodes", () => {
  it("K1 K2 tools, prompts, resources, progress, sampling and roots work", async () => {
    await using nodes = await startThree(serveEverything);
    await using alice = await connect(nodes.fetch, nodes.all[0]!.sessions);
    const { client, notifications } = alice;
    const { tools } = await client.listTools();
    assert(tools.length > 12, `There are ${tools.length} tools.`);
    for (let call = 0; call < 6; call++) {
      const args = { a: call, b: 1 };
      const sum = await client.callTool({ name: "get-sum", arguments: args });
      assertStringIncludes(textOf(sum), String(call + 1));
    }
    const progress: number[] = [];
    await client.callTool(
      {
        name: "trigger-long-running-operation",
        arguments: { duration: 0.2, steps: 4 },
      },
      undefined,
      { onprogress: ({ progress: step }) => void progress.push(step) },
    );
    assertEquals(progress, [1, 2, 3, 4]);
    const sampled = await client.callTool({
      name: "trigger-sampling-request",
      arguments: { prompt: "Hello", maxTokens: 10 },
    });
    assertStringIncludes(textOf(sampled), "sampled");
    const { prompts } = await client.listPrompts();
    assert(prompts.some(({ name }) => name === "simple-prompt"));
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: resources[0]!.uri });
    assertEquals(contents.length, 1);
    // The server asks for the roots by itself, a moment after it has begun.
    const roots = () => client.callTool({ name: "get-roots-list" });
    await until(
      async () => textOf(await roots()).includes("file:///project"),
      "the roots to be known",
    );
    await client.callTool({ name: "toggle-simulated-logging" });
    await until(
      () =>
        notifications.some(({ method }) => method === "notifications/message"),
      "a log message",
    );
    assertEquals(nodes.reported, []);
  });

  it("K3 another node serves its session when its node dies", async () => {
    await using nodes = await startThree(serveEverything);
    await using alice = await connect(nodes.fetch, nodes.all[0]!.sessions);
    const { client } = alice;
    const call = async () =>
      textOf(
        await client.callTool({
          name: "get-sum",
          arguments: { a: 1, b: 2 },
        }),
      );
    assertStringIncludes(await call(), "3");
    nodes.kill(nodes.hostOf());
    assertStringIncludes(await call(), "3");
    assertEquals(nodes.hostOf().handler.stats().rebuilt, 1);
    const { tools } = await client.listTools();
    // This one exists only if the client can sample: the new server knows.
    assert(tools.some(({ name }) => name === "trigger-sampling-request"));
  });
});

for (const { name, createServer, tool, args } of SERVERS_2) {
  describe(`@modelcontextprotocol/${name} behind the handler, on three nodes`, () => {
    it("K1 K2 K3 its tools and resources work, also when its node dies", async () => {
      await using nodes = await startThree((sessions) =>
        createSdkHandler({
          sessions,
          // Its package has its own copy of the SDK.
          createServer: createServer as () => never,
          Transport: Transport2,
          createMcpHandler,
        })
      );
      await using alice = await connect(nodes.fetch, nodes.all[0]!.sessions);
      const { client } = alice;
      const call = () => client.callTool({ name: tool, arguments: args });
      const first = await call();
      assert(!first.isError && textOf(first).length > 100, textOf(first));
      const { resources } = await client.listResources();
      const uri = resources[0]!.uri;
      const { contents } = await client.readResource({ uri });
      assertStringIncludes((contents[0] as { text: string }).text, "<html");
      nodes.kill(nodes.hostOf());
      assert(!(await call()).isError);
      assertEquals(nodes.hostOf().handler.stats().rebuilt, 1);
    });
  });
}
