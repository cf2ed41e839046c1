import { InMemorySessions } from "@crossmcp/session-manager";
import { assertEquals, assertLess } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectModern, connectSse } from "./support/clients.ts";
import { engines } from "./support/serve.ts";
import { startServer } from "./support/server.ts";
import { until, within } from "./support/until.ts";

for (const engine of engines) {
  describe(`Closing the sessions, on ${engine}`, () => {
    it("ends the streams and subscriptions of connected clients", async () => {
      const managers = new InMemorySessions();
      const sseManagers = new InMemorySessions();
      await using server = await startServer({ engine, managers, sseManagers });
      await using alice = await connectHttp(server.httpUrl, managers.streams);
      await using bob = await connectSse(server.sseUrl);
      await using carol = await connectModern(server.httpUrl);
      const subscription = await carol.client.listen({
        toolsListChanged: true,
      });

      const started = performance.now();
      await Promise.all([managers.close(), sseManagers.close()]);
      assertLess(performance.now() - started, 1_000);
      await until(() => alice.errors.length > 0, "Alice's stream to end");
      await until(() => bob.errors.length > 0, "Bob's stream to end");
      assertEquals(
        await within(subscription.closed, "the subscription to end"),
        "graceful",
      );
      assertEquals(await managers.streams.has(alice.sessionId), false);
      assertEquals(await sseManagers.streams.has(bob.sessionId), false);
    });

    it("delivers earlier frames before it ends the stream", async () => {
      const managers = new InMemorySessions();
      await using server = await startServer({ engine, managers });
      const response = await fetch(server.httpUrl, {
        headers: { "mcp-session-id": "raw", accept: "text/event-stream" },
      });
      await until(() => managers.streams.has("raw"), "the stream to open");
      server.mcp.changed("tools");
      await managers.close();
      const text = await within(response.text(), "the stream to end");
      assertEquals(
        text.match(/^data: .*$/gm),
        [
          'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed",' +
          '"params":{}}',
        ],
      );
    });

    it("ends streams that are opened later", async () => {
      const reported: Error[] = [];
      const managers = new InMemorySessions({
        onError: (error) => reported.push(error),
      });
      await using server = await startServer({
        engine,
        managers,
        sseManagers: managers,
      });
      await managers.close();
      for (const url of [server.httpUrl, server.sseUrl]) {
        // On some runtimes the request fails, on others the response body.
        const end = fetch(url, { headers: { "mcp-session-id": "late" } })
          .then((response) => response.text())
          .then((text) => text, () => "");
        assertEquals(await within(end, "the late stream to end"), "");
        assertEquals(await managers.streams.has("late"), false);
      }
    });

    it("refuses subscriptions that are opened later", async () => {
      const managers = new InMemorySessions();
      await using server = await startServer({ engine, managers });
      await using carol = await connectModern(server.httpUrl);
      await managers.close();
      const outcome = carol.client.listen({ toolsListChanged: true })
        .then(() => "listening", () => "refused");
      assertEquals(await within(outcome, "a response"), "refused");
    });

    it("later requests of the session era are still answered", async () => {
      const managers = new InMemorySessions();
      await using server = await startServer({ engine, managers });
      await using alice = await connectHttp(server.httpUrl, managers.streams);
      await managers.close();
      // Closed managers store nothing, but requests are still answered.
      await alice.client.setLoggingLevel("debug");
      await alice.client.subscribeResource({ uri: "file:///news.md" });
      const { content } = await alice.client.callTool({ name: "who-am-i" });
      assertEquals(content, [{ type: "text", text: "{}" }]);
    });
  });
}
