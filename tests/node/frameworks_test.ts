import {
  InMemorySessions,
  type InMemorySessionsOptions,
} from "@crossmcp/session-manager";
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { HttpTransport } from "@tmcp/transport-http";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  connectHttp,
  connectHttp2,
  connectModern,
  summary,
} from "../e2e/support/clients.ts";
import {
  assertRefused,
  beginSession,
  sendRequest,
  USER_HEADER,
  withHeaders,
} from "../e2e/support/guarded.ts";
import { createMcpServer, NEWS } from "../e2e/support/server.ts";
import { until } from "../e2e/support/until.ts";
import { type Listening, SERVERS, type Start } from "./support/servers.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const NEWS_UPDATED = "notifications/resources/updated";

/** Starts an MCP server behind the guard. */
async function startMcp(start: Start, options?: InMemorySessionsOptions) {
  const reported: unknown[] = [];
  const onError = (error: unknown) => void reported.push(error);
  const mcp = createMcpServer();
  const sessions = new InMemorySessions({ onError, ...options });
  const transport = new HttpTransport(mcp, {
    path: "/mcp",
    allowedOrigins: [],
    sessionManager: sessions,
    subscriptionManager: sessions.subscriptions,
  });
  const listening: Listening = await start(
    toNodeHandler(sessions, (request) => transport.respond(request), {
      onError,
      principal: ({ headers }) => headers[USER_HEADER]?.toString(),
    }),
  );
  return {
    ...listening,
    mcp,
    sessions,
    reported,
    [Symbol.asyncDispose]: async () => {
      await transport.close();
      await sessions.close();
      await listening[Symbol.asyncDispose]();
    },
  };
}

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`toNodeHandler with ${name}`, () => {
    it("S5 official clients get notifications and call tools", async () => {
      await using server = await startMcp(start);
      const { url, sessions, mcp } = server;
      await using alice = await connectHttp(url, sessions.streams);
      await using bob = await connectHttp2(url, sessions.streams);
      await using carol = await connectModern(url);
      await carol.client.listen({ toolsListChanged: true });
      await alice.client.subscribeResource({ uri: NEWS });
      mcp.changed("tools");
      for (const { notifications } of [alice, bob, carol]) {
        await until(() => notifications.length > 0, "the list change");
        assertEquals(summary(notifications), [TOOLS_CHANGED]);
      }
      const { content } = await bob.client.callTool({ name: "print-news" });
      assertEquals(content, [{ type: "text", text: "done" }]);
      await until(() => alice.notifications.length > 1, "the update");
      assertEquals(alice.notifications.at(-1)?.method, NEWS_UPDATED);
      assertEquals(server.reported, []);
    });

    it("S14 an interrupted stream resumes without a loss", async () => {
      await using server = await startMcp(start, { streams: { replay: {} } });
      const { url, sessions, mcp } = server;
      await using alice = await connectHttp(url, sessions.streams, {
        reconnect: true,
      });
      mcp.changed("tools");
      await until(() => alice.notifications.length === 1, "the first change");
      alice.breakStream();
      mcp.changed("prompts");
      mcp.changed("resources");
      await until(() => alice.notifications.length === 3, "the missed changes");
      const { content } = await alice.client.callTool({ name: "who-am-i" });
      assertEquals(JSON.stringify(content).includes("alice"), true);
      assertEquals(server.reported, []);
    });

    it("H5 sessions belong to the principal of a request", async () => {
      await using server = await startMcp(start);
      const { url, sessions } = server;
      await using alice = await connectHttp(url, sessions.streams, {
        fetch: withHeaders({ [USER_HEADER]: "alice" }),
      });
      await alice.client.ping();
      const id = { "mcp-session-id": alice.sessionId };
      const message = { jsonrpc: "2.0", id: 9, method: "ping" };
      await assertRefused(await sendRequest(url, id, message), 404);
      const mallory = { ...id, [USER_HEADER]: "mallory" };
      await assertRefused(await sendRequest(url, mallory, message), 404);
    });

    it("ends the session of a client that leaves, and of one that deletes it", async () => {
      await using server = await startMcp(start);
      const { url, sessions } = server;
      const id = await beginSession(url);
      const headers = { "mcp-session-id": id };
      const stream = await sendRequest(url, headers);
      await until(() => sessions.streams.has(id), "the stream");
      await stream.body!.cancel();
      await until(() => sessions.stats().attached === 0, "the stream to end");
      const response = await fetch(url, { method: "DELETE", headers });
      await response.text();
      assertEquals(response.status, 200);
      const message = { jsonrpc: "2.0", id: 9, method: "ping" };
      await assertRefused(await sendRequest(url, headers, message), 404);
      assertEquals(server.reported, []);
    });
  });
}
