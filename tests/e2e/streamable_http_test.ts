import {
  InMemorySessions,
  SessionNotFoundError,
} from "@crossmcp/session-manager";
import { assertEquals, assertRejects } from "@std/assert";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, it } from "node:test";
import { connectHttp, summary, whoAmI } from "./support/clients.ts";
import { openSocket } from "./support/raw_socket.ts";
import { type Engine, engines } from "./support/serve.ts";
import { NEWS, startServer, WEATHER } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

for (const engine of engines) {
  describe(`Streamable HTTP, session era, on ${engine}`, () => {
    it("later requests see client info and capabilities", async () => {
      await using server = await start(engine);
      const { streams } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams, {
        name: "alice",
        capabilities: { sampling: {}, roots: { listChanged: true } },
      });
      await using bob = await connectHttp(server.httpUrl, streams, {
        name: "bob",
        capabilities: { elicitation: { form: {} } },
      });
      assertEquals(alice.client.getServerVersion()?.name, "end-to-end");
      assertEquals(await whoAmI(alice.client), {
        clientInfo: { name: "alice", version: "1.2.3" },
        clientCapabilities: { sampling: {}, roots: { listChanged: true } },
      });
      assertEquals(await whoAmI(bob.client), {
        clientInfo: { name: "bob", version: "1.2.3" },
        clientCapabilities: { elicitation: { form: {} } },
      });
    });

    it("stores the log level of each session", async () => {
      await using server = await start(engine);
      const { streams } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams);
      await using bob = await connectHttp(server.httpUrl, streams);
      await alice.client.setLoggingLevel("warning");
      await bob.client.setLoggingLevel("debug");
      await bob.client.setLoggingLevel("emergency");
      assertEquals(await logLevel(alice), "warning");
      assertEquals(await logLevel(bob), "emergency");
    });

    it("sends resource updates only to subscribers, until they unsubscribe", async () => {
      await using server = await start(engine);
      const { streams, info } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams);
      await using bob = await connectHttp(server.httpUrl, streams);
      await alice.client.subscribeResource({ uri: NEWS });
      await alice.client.subscribeResource({ uri: WEATHER });
      await alice.client.subscribeResource({ uri: WEATHER });
      assertEquals(await info.getSubscriptions(WEATHER), [alice.sessionId]);

      server.mcp.changed("resource", NEWS);
      server.mcp.changed("resource", WEATHER);
      await until(() => alice.notifications.length >= 2, "both updates");
      await alice.client.unsubscribeResource({ uri: NEWS });
      server.mcp.changed("resource", NEWS);
      server.mcp.changed("resource", WEATHER);
      await until(() => alice.notifications.length >= 3, "one more update");
      server.mcp.changed("tools");
      await until(() => bob.notifications.length >= 1, "the list change");
      await until(() => alice.notifications.length >= 4, "the list change");

      assertEquals(summary(alice.notifications), [
        `${UPDATED} ${NEWS}`,
        `${UPDATED} ${WEATHER}`,
        `${UPDATED} ${WEATHER}`,
        TOOLS_CHANGED,
      ]);
      assertEquals(summary(bob.notifications), [TOOLS_CHANGED]);
    });

    it("sends every list change to two clients with different subscriptions", async () => {
      await using server = await start(engine);
      const { streams } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams);
      await using bob = await connectHttp(server.httpUrl, streams);
      await alice.client.subscribeResource({ uri: NEWS });
      await bob.client.subscribeResource({ uri: WEATHER });

      await alice.client.callTool({ name: "rename-tools" });
      for (const { notifications } of [alice, bob]) {
        await until(() => notifications.length >= 1, "the list change");
      }
      await bob.client.callTool({ name: "print-news" });
      await until(() => alice.notifications.length >= 2, "the news");
      server.mcp.changed("resource", WEATHER);
      await until(() => bob.notifications.length >= 2, "the weather");

      assertEquals(summary(alice.notifications), [
        TOOLS_CHANGED,
        `${UPDATED} ${NEWS}`,
      ]);
      assertEquals(summary(bob.notifications), [
        TOOLS_CHANGED,
        `${UPDATED} ${WEATHER}`,
      ]);
    });

    it("DELETE ends the stream and the session", async () => {
      await using server = await start(engine);
      const { streams, info } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams);
      await using bob = await connectHttp(server.httpUrl, streams);
      await alice.client.setLoggingLevel("error");
      await alice.client.subscribeResource({ uri: NEWS });

      await alice.transport.terminateSession();
      await until(
        () => alice.errors.some(({ message }) => /reconnect/.test(message)),
        "the stream to end",
      );
      assertEquals(await streams.has(alice.sessionId), false);
      const { sessionId } = alice;
      for (
        const get of [
          () => info.getClientInfo(sessionId),
          () => info.getClientCapabilities(sessionId),
          () => info.getLogLevel(sessionId),
        ]
      ) await assertRejects(get, SessionNotFoundError);
      assertEquals(await info.getSubscriptions(NEWS), []);
      assertEquals(await streams.has(bob.sessionId), true);
      assertEquals((await info.getClientInfo(bob.sessionId)).name, "alice");
    });

    it("a client whose stream was disconnected can reconnect to its session", async () => {
      await using server = await start(engine);
      const { streams } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams, {
        reconnect: true,
      });
      await alice.client.setLoggingLevel("notice");
      await alice.client.subscribeResource({ uri: NEWS });
      const opened = server.responses.length;

      alice.breakStream();
      await until(
        () => server.responses.slice(opened).some(({ status }) => status < 400),
        "the client's new stream",
      );
      await until(() => streams.has(alice.sessionId), "the new stream");
      server.mcp.changed("resource", NEWS);
      await until(() => alice.notifications.length >= 1, "the news");
      assertEquals(summary(alice.notifications), [`${UPDATED} ${NEWS}`]);
      assertEquals(await whoAmI(alice.client), {
        clientInfo: { name: "alice", version: "1.2.3" },
        clientCapabilities: {},
        logLevel: "notice",
      });
    });

    it("removes the stream of a client that disconnected, and the session can continue on another connection", async () => {
      await using server = await start(engine);
      const { streams, info } = server.managers;
      const alice = await connectHttp(server.httpUrl, streams);
      const { sessionId } = alice;
      await alice.client.subscribeResource({ uri: NEWS });
      await alice.close();
      await until(
        async () => !await streams.has(sessionId),
        "the stream to end",
      );

      const socket = await openSocket(server.httpUrl, "GET", {
        "mcp-session-id": sessionId,
      });
      await until(() => socket.received().includes(": connected"), "a stream");
      assertEquals(await streams.has(sessionId), true);
      socket.destroy();
      await until(
        async () => !await streams.has(sessionId),
        "the stream to end",
      );
      // The session has no stream. Other sessions must not be affected.
      server.mcp.changed("resource", NEWS);
      assertEquals((await info.getClientInfo(sessionId)).name, "alice");

      await using second = await connectHttp(server.httpUrl, streams);
      const transport = new StreamableHTTPClientTransport(server.httpUrl, {
        sessionId,
      });
      const methods: string[] = [];
      transport.onmessage = (message) =>
        methods.push("method" in message ? message.method : "");
      await transport.start();
      try {
        await transport.resumeStream("");
        await until(() => streams.has(sessionId), "the new stream");
        server.mcp.changed("resource", NEWS);
        await until(() => methods.length >= 1, "the news");
        server.mcp.changed("tools");
        await until(() => second.notifications.length >= 1, "the list change");
        await until(() => methods.length >= 2, "the list change");
        assertEquals(methods, [UPDATED, TOOLS_CHANGED]);
      } finally {
        await transport.close();
      }
    });
  });
}

function start(engine: Engine) {
  return startServer({ engine, managers: new InMemorySessions() });
}

async function logLevel(
  { client }: { client: Parameters<typeof whoAmI>[0] },
): Promise<unknown> {
  return (await whoAmI(client) as { logLevel?: unknown }).logLevel;
}
