import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/types"
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import {
  connectHttp,
  connectHttp2,
  connectModern,
  type Fetch,
} from "../e2e/support/clients.ts";
import { assertRefused } from "../e2e/support/guarded.ts";
import { until, within } from "../e2e/support/until.ts";
import { frameOf, resultOf } from "./support/handled.ts";
import { type Node, NODES_URL, startNodes } from "./support/nodes.ts";
import { TOKEN_HEADER, USER_HEADER } from "./support/caller.ts";
import { SDKS } from "./support/servers.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
function post(id: string, message: object, more: Record<string, string> = {}) {
  return {
    method: "POST",
    headers: {
      "accept": "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-session-id": id,
      ...more,
    },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  };
}

function withHeader(fetch: Fetch, name: string, value: string): Fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set(name, value);
    return fetch(url, { ...init, headers });
  };
}

function total(nodes: readonly Node[], counter: "rebuilt" | "forwarded") {
  return nodes.reduce((sum, { handler }) => sum + handler.stats()[counter], 0);
}

for (const sdk of SDKS) {
  describe(`The official SDK ${sdk.name}, on several nodes`, () => {
    it("K2 any node serves a session: requests, answers, notifications, DELETE", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using alice = await connectHttp(NODES_URL, streams, {
        fetch: withHeader(fetch, TOKEN_HEADER, "t1"),
        capabilities: { elicitation: {} },
      });
      const { client, notifications, sessionId } = alice;
      client.setRequestHandler(
        ElicitRequestSchema,
        () => ({ action: "accept", content: { name: "Alice" } }),
      );
      for (let call = 0; call < 6; call++) {
        const who = resultOf(await client.callTool({ name: "who-am-i" }));
        assertEquals(who, {
          client: "alice",
          principal: null,
          token: "t1",
          resource: "https://example.com/mcp",
          sessionId,
        });
        const answer = await client.callTool({ name: "ask" });
        assertEquals(resultOf(answer), "Alice");
        (notifications as unknown[]).length = 0;
        await client.callTool({ name: "count" });
        assertEquals(
          notifications.map(({ params }) => params?.data),
          Array.from({ length: 20 }, (_, index) => index),
        );
        await client.callTool({ name: "change" });
        await until(() => notifications.length === 21, "the server's own");
      }
      await all[2]!.sessions.streams.send([sessionId], frameOf(TOOLS_CHANGED));
      await until(() => notifications.length === 22, "one of the sessions");
      assert(total(all, "forwarded") > 10);
      assertEquals(total(all, "rebuilt"), 0);
      await alice.transport.terminateSession();
      for (const node of all) {
        assertEquals(node.probe.open, 0);
        const response = await node.fetch(
          NODES_URL,
          post(sessionId, { id: 1, method: "ping" }),
        );
        await assertRefused(response, 404);
      }
      assertEquals(nodes.reported, []);
    });

    it("K2 the official client 2.x, and clients of the per-request era", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using bob = await connectHttp2(NODES_URL, streams, { fetch });
      for (let call = 0; call < 6; call++) {
        await bob.client.callTool({ name: "change" });
        await until(
          () => bob.notifications.length === call + 1,
          "the notification",
        );
      }
      if (sdk.name === "1.x") return;
      await using carol = await connectModern(NODES_URL, {
        fetch: all[0]!.fetch,
      });
      await carol.client.listen({ toolsListChanged: true });
      for (let count = 1; count <= 10; count++) {
        await all[count % 3]!.sessions.subscriptions.send({
          jsonrpc: "2.0",
          method: TOOLS_CHANGED,
        });
        await until(() => carol.notifications.length === count, "each, once");
      }
    });

    it("K2 a session of another principal is unknown on every node, and bodies are limited", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      await using alice = await connectHttp(
        NODES_URL,
        all[0]!.sessions.streams,
        {
          fetch: withHeader(fetch, USER_HEADER, "alice"),
        },
      );
      const ping = { id: 1, method: "ping" };
      const { sessionId } = alice;
      for (const node of all) {
        const foreign = { [USER_HEADER]: "mallory" };
        const get = (init: RequestInit) => node.fetch(NODES_URL, init);
        await assertRefused(await get(post(sessionId, ping)), 404);
        await assertRefused(await get(post(sessionId, ping, foreign)), 404);
        const own = { [USER_HEADER]: "alice" };
        const large = { ...ping, params: { text: "x".repeat(200_000) } };
        await assertRefused(await get(post(sessionId, large, own)), 413);
        const response = await get(post(sessionId, ping, own));
        assertEquals(response.status, 200);
        await response.text();
      }
      assertEquals(total(all, "rebuilt"), 0);
    });

    it("L9 a body that never ends gets 408 on every node, and each refusal is told", async () => {
      await using nodes = await startNodes(sdk, { bodyTimeoutMs: 50 });
      const { all, refused } = nodes;
      await using alice = await connectHttp(
        NODES_URL,
        all[0]!.sessions.streams,
        { fetch: withHeader(nodes.fetch, USER_HEADER, "alice") },
      );
      const ping = { id: 1, method: "ping" };
      for (const node of all) {
        const own = { [USER_HEADER]: "alice" };
        const body = new ReadableStream<Uint8Array>();
        const slow = {
          ...post(alice.sessionId, ping, own),
          body,
          duplex: "half",
        };
        await assertRefused(
          await within(
            node.fetch(NODES_URL, slow as RequestInit),
            "a response",
          ),
          408,
        );
        const large = { ...ping, params: { text: "x".repeat(200_000) } };
        await assertRefused(
          await node.fetch(NODES_URL, post(alice.sessionId, large, own)),
          413,
        );
        const response = await node.fetch(
          NODES_URL,
          post(alice.sessionId, ping, own),
        );
        assertEquals(response.status, 200);
        await response.text();
      }
      assertEquals(
        refused,
        all.flatMap(() => [["slowBody", "alice"], ["tooLarge", "alice"]]),
      );
    });

    it("K3 the node that has the server dies: another one creates it again", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using alice = await connectHttp(NODES_URL, streams, {
        fetch,
        reconnect: true,
      });
      const { client, sessionId, notifications } = alice;
      await client.setLoggingLevel("error");
      await client.subscribeResource({ uri: "file:///a b.md" });
      await client.subscribeResource({ uri: "file:///news.md" });
      const first = nodes.hostOf();
      nodes.kill(first);
      // Sent before the other nodes know that it is dead.
      const who = resultOf(await client.callTool({ name: "who-am-i" }));
      assertEquals((who as { client: string }).client, "alice");
      assertEquals((who as { sessionId: string }).sessionId, sessionId);
      const second = nodes.hostOf();
      assertEquals(second.handler.stats().rebuilt, 1);
      assertEquals(second.probe.subscribed.sort(), [
        "file:///a b.md",
        "file:///news.md",
      ]);
      await client.callTool({ name: "log" });
      assertEquals(notifications, []);
      await client.setLoggingLevel("debug");
      await client.callTool({ name: "log" });
      await until(() => notifications.length === 1, "the log message");
      await client.callTool({ name: "change" });
      await until(() => notifications.length === 2, "the notification");
      assertEquals(total(all, "rebuilt"), 1);
      // Again, with the last node.
      nodes.kill(second);
      await client.callTool({ name: "who-am-i" });
      assertEquals(total(all, "rebuilt"), 2);
    });

    it("K3 P5 a call that is running when its node dies gets an error", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using alice = await connectHttp(NODES_URL, streams, { fetch });
      const host = nodes.hostOf();
      const other = all.find((node) => node !== host)!;
      const response = await other.fetch(
        NODES_URL,
        post(alice.sessionId, {
          id: 77,
          method: "tools/call",
          params: { name: "wait" },
        }),
      );
      await until(() => host.probe.waiting === 1, "the call to run");
      nodes.kill(host);
      const text = await within(response.text(), "the error");
      assert(text.includes('"id":77'), text);
      assert(text.includes("-32603"), text);
      host.probe.release();
      await alice.client.callTool({ name: "who-am-i" });
    });

    it("K3 a node that drains finishes its calls, and hands its sessions over", async () => {
      await using nodes = await startNodes(sdk);
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using alice = await connectHttp(NODES_URL, streams, { fetch });
      const { client } = alice;
      const host = nodes.hostOf();
      const waiting = client.callTool({ name: "wait" });
      await until(() => host.probe.waiting === 1, "the call to run");
      const closed = host.handler.close({ drainMs: 10_000 });
      const others = all.filter((node) => node !== host);
      for (const node of others) {
        const response = await node.fetch(
          NODES_URL,
          post(alice.sessionId, { id: 99, method: "ping" }),
        );
        assertEquals(response.status, 200);
        await response.text();
      }
      assertEquals(total(others, "rebuilt"), 1);
      assertEquals(host.probe.waiting, 1);
      host.probe.release();
      assertEquals(resultOf(await waiting), "waited");
      await closed;
      assertEquals(host.probe.open, 0);
      assertEquals(others.map(({ probe }) => probe.open).sort(), [0, 1]);
      const response = await host.fetch(
        NODES_URL,
        post(alice.sessionId, { id: 99, method: "ping" }),
      );
      assertEquals(response.status, 503);
    });

    it("K3 nodes that take a session over at once agree on one", async () => {
      await using nodes = await startNodes(sdk, { count: 5 });
      const { all, fetch } = nodes;
      const { streams } = all[0]!.sessions;
      await using alice = await connectHttp(NODES_URL, streams, { fetch });
      const host = nodes.hostOf();
      const others = all.filter((node) => node !== host);
      await host.handler.close();
      const responses = await Promise.all(
        others.flatMap((node) =>
          [1, 2, 3].map((id) =>
            node.fetch(
              NODES_URL,
              post(alice.sessionId, { id, method: "ping" }),
            )
          )
        ),
      );
      for (const response of responses) {
        const text = await response.text();
        assertEquals(response.status, 200, text);
        assert(text.includes('"result"'), text);
      }
      await until(
        () => others.reduce((sum, { probe }) => sum + probe.open, 0) === 1,
        "one server",
      );
      assertEquals(nodes.reported, []);
    });

    it("K6 servers are closed on the node that has them when a session ends elsewhere", async () => {
      await using nodes = await startNodes(sdk, { idleTimeoutMs: 300 });
      const { all } = nodes;
      const [first, second] = all;
      await using alice = await connectHttp(
        NODES_URL,
        second!.sessions.streams,
        { fetch: first!.fetch },
      );
      assertEquals(first!.probe.open, 1);
      await second!.sessions.info.delete(alice.sessionId);
      await until(() => first!.probe.open === 0, "the end of the server");
      await assertRejects(() => alice.client.ping());
    });
  });
}
