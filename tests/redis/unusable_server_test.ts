import {
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { createSdkHandler } from "@crossmcp/session-manager/sdk";
import { assertEquals, assertRejects } from "@std/assert";
import { it } from "node:test";
import { within } from "../e2e/support/until.ts";
import { connect } from "./support/clients.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

const PING = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

/** Expects that requests for a session that nobody knows get 503, soon. */
async function assertUnavailable(sessions: RedisSessions): Promise<void> {
  const handler = createSdkHandler({
    sessions,
    createServer: () => new McpServer({ name: "test", version: "1" }),
    Transport: WebStandardStreamableHTTPServerTransport,
  });
  for (const method of ["GET", "POST", "DELETE"]) {
    const request = () =>
      new Request("http://localhost/mcp", {
        method,
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-session-id": crypto.randomUUID(),
        },
        ...method === "POST" && { body: PING },
      });
    const answers = {
      guard: sessions.guard(request(), () => new Response("answered")),
      handler: handler.fetch(request()),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const response = await within(answer, `${name} to answer ${method}`);
      assertEquals(response.status, 503, `${name} ${method}`);
      assertEquals(response.headers.get("retry-after"), "5");
    }
  }
  await handler.close();
}

describeRedis("RedisSessions: a server that cannot be used", () => {
  it("R9 H2 requests get 503 if it has another format", async () => {
    await using server = await RedisServer.start();
    const prefix = crypto.randomUUID();
    await server.command("HSET", `{${prefix}}:format`, "format", "2");
    await using clients = await connect(server);
    await using sessions = new RedisSessions(clients, {
      prefix,
      onError: () => {},
    });
    await assertRejects(() => sessions.ready);
    await assertUnavailable(sessions);
  });

  it("R1 H2 requests get 503 while it is down", async () => {
    await using server = await RedisServer.start();
    await using clients = await connect(server);
    await using sessions = new RedisSessions(clients, {
      cluster: { requestTimeoutMs: 500 },
      onError: () => {},
    });
    await sessions.ready;
    await server.kill();
    await assertUnavailable(sessions);
  });
});
