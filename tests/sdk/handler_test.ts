import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import {
  connectHttp,
  connectHttp2,
  connectModern,
} from "../e2e/support/clients.ts";
import {
  assertRefused,
  beginSession,
  sendRequest,
  withHeaders,
} from "../e2e/support/guarded.ts";
import { INITIALIZE } from "../e2e/support/server.ts";
import { until, within } from "../e2e/support/until.ts";
import { TOKEN_HEADER, USER_HEADER } from "./support/caller.ts";
import { SDKS } from "./support/servers.ts";
import { frameOf, resultOf, startHandled } from "./support/handled.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";

for (const sdk of SDKS) {
  describe(`The official SDK ${sdk.name}, in one process`, () => {
    it("K1 an official client 1.x calls tools, and gets notifications of a call and of the server", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url } = server;
      await using alice = await connectHttp(url, sessions.streams);
      const { client, notifications, sessionId } = alice;
      const who = await client.callTool({ name: "who-am-i" });
      assertEquals(resultOf(who), {
        client: "alice",
        principal: null,
        token: null,
        resource: null,
        sessionId,
      });
      await client.callTool({ name: "count" });
      assertEquals(
        notifications.map(({ params }) => params?.data),
        Array.from({ length: 20 }, (_, index) => index),
      );
      await client.callTool({ name: "change" });
      await until(() => notifications.length === 21, "the server's own");
      await sessions.streams.send([sessionId], frameOf(TOOLS_CHANGED));
      await until(() => notifications.length === 22, "one of the sessions");
      assertEquals(
        notifications.slice(20).map(({ method }) => method),
        [TOOLS_CHANGED, TOOLS_CHANGED],
      );
      assertEquals(server.handler.stats().begun, 1);
      assertEquals(server.reported, []);
    });

    it("K1 an official client 2.x uses a session", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url } = server;
      await using bob = await connectHttp2(url, sessions.streams, {
        name: "bob",
      });
      const who = await bob.client.callTool({ name: "who-am-i" });
      assertEquals((resultOf(who) as { client: string }).client, "bob");
      await bob.client.callTool({ name: "change" });
      await until(() => bob.notifications.length > 0, "the notification");
    });

    it("K1 a tool asks the user of an official client", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url } = server;
      await using alice = await connectHttp(url, sessions.streams, {
        capabilities: { elicitation: {} },
      });
      alice.client.setRequestHandler(
        ElicitRequestSchema,
        () => ({ action: "accept", content: { name: "Alice" } }),
      );
      const result = await alice.client.callTool({ name: "ask" });
      assertEquals(resultOf(result), "Alice");
    });

    it("K1 log levels and subscriptions reach the server, and are stored", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url, probe } = server;
      await using alice = await connectHttp(url, sessions.streams);
      const { client, sessionId } = alice;
      const logged: unknown[] = [];
      client.setNotificationHandler(
        LoggingMessageNotificationSchema,
        ({ params }) => void logged.push(params.data),
      );
      await client.setLoggingLevel("error");
      await client.callTool({ name: "log" });
      await client.setLoggingLevel("debug");
      await client.callTool({ name: "log" });
      await until(() => logged.length > 0, "the log message");
      assertEquals(logged, ["logged"]);
      await client.subscribeResource({ uri: "file:///news.md" });
      assertEquals(probe.subscribed, ["file:///news.md"]);
      const { info } = sessions;
      assertEquals(await info.getLogLevel(sessionId), "debug");
      assertEquals((await info.getClientInfo(sessionId))?.name, "alice");
      assertEquals(await info.getClientCapabilities(sessionId), {});
      const subscribed = await info.getSubscriptions("file:///news.md");
      assertEquals(subscribed, [sessionId]);
      await client.unsubscribeResource({ uri: "file:///news.md" });
      assertEquals(await info.getSubscriptions("file:///news.md"), []);
    });

    it("K1 a stream that is replaced or resumed misses nothing", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url } = server;
      await using alice = await connectHttp(url, sessions.streams, {
        reconnect: true,
      });
      const { client, notifications } = alice;
      for (let count = 1; count <= 5; count++) {
        await client.callTool({ name: "change" });
        await until(() => notifications.length === count, "the notification");
        alice.breakStream();
      }
      await client.callTool({ name: "change" });
      await until(() => notifications.length === 6, "the last notification");
    });

    it("K1 what the server sends before its client has a stream is not lost", async () => {
      await using server = await startHandled(sdk);
      const { url } = server;
      const sessionId = await beginSession(url);
      const headers = { "mcp-session-id": sessionId };
      const call = {
        jsonrpc: "2.0",
        id: 2,
        method: "tools/call",
        params: { name: "change" },
      };
      for (let count = 0; count < 3; count++) {
        await (await sendRequest(url, headers, call)).text();
      }
      const abort = new AbortController();
      const stream = await fetch(url, {
        headers: { ...headers, accept: "text/event-stream" },
        signal: abort.signal,
      });
      let text = "";
      const reader = stream.body!.pipeThrough(new TextDecoderStream())
        .getReader();
      while (text.split(TOOLS_CHANGED).length < 4) {
        text += (await within(reader.read(), "the notifications")).value ?? "";
      }
      await reader.cancel();
      abort.abort();
    });

    it("K1 the principal and the caller reach the server; a session of another principal is unknown", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url } = server;
      await using alice = await connectHttp(url, sessions.streams, {
        fetch: withHeaders({ [USER_HEADER]: "alice", [TOKEN_HEADER]: "t1" }),
      });
      const { client, sessionId } = alice;
      const who = resultOf(await client.callTool({ name: "who-am-i" }));
      assertEquals(who, {
        client: "alice",
        principal: "alice",
        token: "t1",
        resource: "https://example.com/mcp",
        sessionId,
      });
      const others: Record<string, string>[] = [
        {},
        { [USER_HEADER]: "mallory" },
      ];
      for (const headers of others) {
        await assertRefused(
          await sendRequest(
            url,
            { ...headers, "mcp-session-id": sessionId },
            { jsonrpc: "2.0", id: 1, method: "ping" },
          ),
          404,
        );
      }
    });

    it("K6 DELETE closes the server and its transport, and ends the session", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url, probe, handler } = server;
      await using alice = await connectHttp(url, sessions.streams);
      assertEquals(probe.open, 1);
      await alice.transport.terminateSession();
      assertEquals(probe.open, 0);
      assertEquals(handler.stats().hosted, 0);
      assertEquals(await sessions.streams.has(alice.sessionId), false);
      const headers = { "mcp-session-id": alice.sessionId };
      await assertRefused(await sendRequest(url, headers), 404);
      assertEquals(server.reported, []);
    });

    it("K6 a server that is closed by its tool ends the session", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url, handler } = server;
      await using alice = await connectHttp(url, sessions.streams);
      await alice.client.callTool({ name: "quit" });
      await until(() => handler.stats().hosted === 0, "the end");
      const headers = { "mcp-session-id": alice.sessionId };
      await assertRefused(await sendRequest(url, headers), 404);
    });

    it("K6 servers of idle sessions are closed, those in use are not", async () => {
      await using server = await startHandled(sdk, {
        info: { idleTimeoutMs: 150 },
      });
      const { sessions, url, probe, handler } = server;
      await using alice = await connectHttp(url, sessions.streams);
      for (let index = 0; index < 20; index++) await beginSession(url);
      await until(() => probe.open === 1, "the end of idle sessions");
      assertEquals(handler.stats().hosted, 1);
      assertEquals(handler.stats().begun, 21);
      await alice.client.ping();
    });

    it("K6 closing the sessions closes the servers", async () => {
      await using server = await startHandled(sdk);
      const { sessions, url, probe, handler } = server;
      await beginSession(url);
      await sessions.close();
      assertEquals(probe.open, 0);
      assertEquals(handler.stats().hosted, 0);
      const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
      assertEquals((await sendRequest(url, {}, ping)).status, 503);
    });

    it("K1 K6 a session beyond the limit gets 503, and its server is closed", async () => {
      await using server = await startHandled(sdk, {
        info: { maxSessions: 1 },
      });
      const { url, probe } = server;
      await beginSession(url);
      const refused = await sendRequest(url, {}, INITIALIZE);
      await assertRefused(refused, 503);
      assertEquals(probe.open, 1);
    });

    it("K1 requests that belong to no session are answered by the SDK", async () => {
      await using server = await startHandled(sdk);
      const { url, probe } = server;
      const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
      assertEquals((await sendRequest(url, {}, ping)).status, 400);
      assertEquals((await sendRequest(url, {})).status, 400);
      assertEquals((await fetch(url, { method: "DELETE" })).status, 400);
      assertEquals((await fetch(url, { method: "PUT" })).status, 405);
      const text = await fetch(url, {
        method: "POST",
        headers: {
          "accept": "application/json, text/event-stream",
          "content-type": "text/plain",
        },
        body: JSON.stringify(INITIALIZE),
      });
      assertEquals(text.status, 415);
      const broken = await fetch(url, {
        method: "POST",
        headers: {
          "accept": "application/json, text/event-stream",
          "content-type": "application/json",
        },
        body: "{",
      });
      assertEquals(broken.status, 400);
      assertEquals(probe.open, 0);
      const sessionId = await beginSession(url);
      const headers = { "mcp-session-id": sessionId };
      const version = { "mcp-protocol-version": "2020-01-01" };
      const get = await sendRequest(url, { ...headers, ...version });
      assertEquals(get.status, 400);
      const json = await fetch(url, { headers });
      assertEquals(json.status, 406);
    });

    it("K1 a body that was parsed already", async () => {
      await using server = await startHandled(sdk);
      const { handler, url } = server;
      const request = new Request(url, {
        method: "POST",
        headers: {
          "accept": "application/json, text/event-stream",
          "content-type": "application/json",
        },
        body: JSON.stringify(INITIALIZE),
      });
      const parsedBody = await request.json();
      const response = await handler.fetch(request, { parsedBody });
      assertEquals(response.status, 200);
      assert((await response.text()).includes('"protocolVersion"'));
    });

    it("K1 responses are JSON if the server wants that", async () => {
      await using server = await startHandled(sdk, {
        serve: { enableJsonResponse: true },
      });
      const { sessions, url } = server;
      await using alice = await connectHttp(url, sessions.streams);
      const who = await alice.client.callTool({ name: "who-am-i" });
      assertEquals((resultOf(who) as { client: string }).client, "alice");
    });

    it("K1 a server that cannot be created is reported, and answered with 500", async () => {
      const failure = new Error("no server today");
      await using server = await startHandled(sdk, {
        serve: {
          onCreate: () => {
            throw failure;
          },
        },
      });
      const response = await sendRequest(server.url, {}, INITIALIZE);
      assertEquals(response.status, 500);
      assertEquals(server.reported, [failure]);
    });
  });
}

describe("The official SDK 2.x, in the per-request era", () => {
  it("K1 K4 an official client calls tools without a session, and listens", async () => {
    await using server = await startHandled(SDKS[1]!);
    const { url, sessions } = server;
    await using carol = await connectModern(url, {
      name: "carol",
      fetch: withHeaders({ [USER_HEADER]: "carol" }),
    });
    const who = await carol.client.callTool({ name: "who-am-i" });
    assertEquals(resultOf(who), {
      client: "carol",
      principal: "carol",
      token: null,
      resource: null,
      sessionId: null,
    });
    const listening = await carol.client.listen({ toolsListChanged: true });
    await sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: TOOLS_CHANGED,
    });
    await until(() => carol.notifications.length > 0, "the notification");
    await listening.close();
    assertEquals(server.handler.stats().begun, 0);
  });

  it("K1 without createMcpHandler, a client of 2026-07-28 is told what is supported", async () => {
    await using server = await startHandled(SDKS[0]!);
    const response = await sendRequest(
      server.url,
      { "mcp-protocol-version": "2026-07-28" },
      { jsonrpc: "2.0", id: 1, method: "tools/list" },
    );
    assertEquals(response.status, 400);
    assert((await response.text()).includes("2025-11-25"));
  });
});
