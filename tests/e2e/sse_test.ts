import {
  InMemorySessions,
  SessionNotFoundError,
} from "@crossmcp/session-manager";
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectSse, summary, whoAmI } from "./support/clients.ts";
import { type Engine, engines } from "./support/serve.ts";
import { NEWS, startServer, WEATHER } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

for (const engine of engines) {
  describe(`HTTP with SSE, on ${engine}`, () => {
    it("later requests see client info, capabilities and log level", async () => {
      await using server = await start(engine);
      await using alice = await connectSse(server.sseUrl, {
        name: "alice",
        capabilities: { sampling: {} },
      });
      await using bob = await connectSse(server.sseUrl, { name: "bob" });
      await alice.client.setLoggingLevel("critical");
      assertEquals(await whoAmI(alice.client), {
        clientInfo: { name: "alice", version: "1.2.3" },
        clientCapabilities: { sampling: {} },
        logLevel: "critical",
      });
      assertEquals(await whoAmI(bob.client), {
        clientInfo: { name: "bob", version: "1.2.3" },
        clientCapabilities: {},
      });
    });

    it("sends each client the updates it subscribed to, and every list change", async () => {
      await using server = await start(engine);
      await using alice = await connectSse(server.sseUrl);
      await using bob = await connectSse(server.sseUrl);
      await alice.client.subscribeResource({ uri: NEWS });
      await bob.client.subscribeResource({ uri: WEATHER });

      server.mcp.changed("resource", NEWS);
      server.mcp.changed("resource", WEATHER);
      for (const { notifications } of [alice, bob]) {
        await until(() => notifications.length >= 1, "the update");
      }
      await alice.client.unsubscribeResource({ uri: NEWS });
      server.mcp.changed("resource", NEWS);
      server.mcp.changed("resource", WEATHER);
      await until(() => bob.notifications.length >= 2, "the update");
      await bob.client.callTool({ name: "rename-tools" });
      for (const { notifications } of [alice, bob]) {
        await until(
          () => summary(notifications).at(-1) === TOOLS_CHANGED,
          "the list change",
        );
      }

      assertEquals(summary(alice.notifications), [
        `${UPDATED} ${NEWS}`,
        TOOLS_CHANGED,
      ]);
      assertEquals(summary(bob.notifications), [
        `${UPDATED} ${WEATHER}`,
        `${UPDATED} ${WEATHER}`,
        TOOLS_CHANGED,
      ]);
    });

    it("the session ends when its stream is disconnected", async () => {
      await using server = await start(engine);
      const { streams, info } = server.sse;
      await using bob = await connectSse(server.sseUrl, { name: "bob" });
      await using alice = await connectSse(server.sseUrl);
      await alice.client.subscribeResource({ uri: NEWS });
      assertEquals(await streams.has(alice.sessionId), true);

      alice.breakStream();
      await until(
        async () => !await streams.has(alice.sessionId),
        "the session to end",
      );
      await assertRejects(
        () => info.getClientInfo(alice.sessionId),
        SessionNotFoundError,
      );
      assertEquals(await info.getSubscriptions(NEWS), []);
      assertEquals((await info.getClientInfo(bob.sessionId)).name, "bob");
    });

    it("DELETE ends the stream and the session", async () => {
      await using server = await start(engine);
      const { streams, info } = server.sse;
      await using alice = await connectSse(server.sseUrl);
      const url = new URL(server.sseUrl);
      url.searchParams.set("session_id", alice.sessionId);

      const response = await fetch(url, { method: "DELETE" });
      await response.body?.cancel();
      assertEquals(response.status, 200);
      await until(() => alice.errors.length > 0, "the stream to end");
      assertEquals(await streams.has(alice.sessionId), false);
      await assertRejects(
        () => info.getClientInfo(alice.sessionId),
        SessionNotFoundError,
      );
    });

    it("serves clients of both transports at once", async () => {
      await using server = await start(engine);
      await using alice = await connectHttp(server.httpUrl, server.httpStreams);
      await using bob = await connectSse(server.sseUrl, { name: "bob" });
      await bob.client.callTool({ name: "rename-tools" });
      for (const { notifications } of [alice, bob]) {
        await until(() => notifications.length >= 1, "the list change");
      }
      await bob.client.subscribeResource({ uri: NEWS });
      await alice.client.callTool({ name: "print-news" });
      await until(() => bob.notifications.length >= 2, "the news");
      assertEquals(summary(alice.notifications), [TOOLS_CHANGED]);
      assertEquals(summary(bob.notifications), [
        TOOLS_CHANGED,
        `${UPDATED} ${NEWS}`,
      ]);
    });
  });
}

async function start(engine: Engine) {
  const managers = new InMemorySessions();
  const sse = new InMemorySessions();
  const server = await startServer({ engine, managers, sseManagers: sse });
  return { ...server, sse, httpStreams: managers.streams };
}
