import { InMemorySessions } from "@crossmcp/session-manager";
import { assertEquals, assertNotEquals } from "@std/assert";
import { HttpTransport } from "@tmcp/transport-http";
import { it } from "node:test";
import { McpServer } from "tmcp";
import { BrowserClient, describeBrowser } from "./support/browser.ts";
import { engines, type Handler, serve } from "./support/serve.ts";
import { until } from "./support/until.ts";

describeBrowser("A web page of another origin", () => {
  for (const engine of engines) {
    it(`H8 H10 reads its session ID, gets notifications and recovers after a restart, on ${engine}`, async () => {
      let app = startApp();
      await using served = await serve(
        (request) => app.handle(request),
        engine,
      );
      await using page = await BrowserClient.start();
      const url = `${served.url}/mcp`;
      const oldId = await page.connect(url);
      await until(() => app.sessions.streams.has(oldId), "the GET stream");
      app.mcp.changed("tools");
      await until(
        async () => (await page.notifications()).length === 1,
        "a notification",
      );
      assertEquals(await page.ping(), undefined);

      await app.sessions.close();
      app = startApp();
      assertEquals(await page.ping(), 404);
      const newId = await page.connect(url, oldId);
      assertNotEquals(newId, oldId);
      await until(() => app.sessions.streams.has(newId), "the GET stream");
      app.mcp.changed("tools");
      await until(
        async () => (await page.notifications()).length === 2,
        "a notification after the restart",
      );
      assertEquals(await page.ping(), undefined);
      await app.sessions.close();
    });
  }
});

interface App {
  readonly mcp: McpServer;
  readonly sessions: InMemorySessions;
  readonly handle: Handler;
}

/** Starts what a restart of the server replaces. */
function startApp(): App {
  const mcp: McpServer = new McpServer(
    { name: "browser", version: "1.0.0" },
    { adapter: undefined, capabilities: { tools: { listChanged: true } } },
  );
  const sessions = new InMemorySessions();
  const transport = new HttpTransport(mcp, {
    path: "/mcp",
    cors: true,
    allowedOrigins: true,
    sessionManager: sessions,
    subscriptionManager: sessions.subscriptions,
  });
  return {
    mcp,
    sessions,
    handle: (request) =>
      sessions.guard(request, (request) => transport.respond(request)),
  };
}
