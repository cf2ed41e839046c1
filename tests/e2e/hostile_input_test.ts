import { InMemorySessions } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectSse, summary, whoAmI } from "./support/clients.ts";
import { openSocket } from "./support/raw_socket.ts";
import { type Engine, engines } from "./support/serve.ts";
import { INITIALIZE, NEWS, startServer } from "./support/server.ts";
import { until, within } from "./support/until.ts";

// On all three runtimes, an unhandled rejection fails the test.

const IDS = {
  "300 characters": "x".repeat(300),
  "spaces": "two words and more",
  "Latin-1 characters": "caf\xE9 \xDF\xFF",
  "a tab": "one\ttwo",
};

const SUBSCRIBE = {
  jsonrpc: "2.0",
  id: 2,
  method: "resources/subscribe",
  params: { uri: NEWS },
};
const SET_LEVEL = {
  jsonrpc: "2.0",
  id: 3,
  method: "logging/setLevel",
  params: { level: "debug" },
};
const UNSUBSCRIBE = { ...SUBSCRIBE, id: 4, method: "resources/unsubscribe" };
const WHO_AM_I = {
  jsonrpc: "2.0",
  id: 5,
  method: "tools/call",
  params: { name: "who-am-i" },
};
const INVALID_LEVEL = { ...SET_LEVEL, id: 6, params: { level: "shout" } };
const INVALID_URI = { ...SUBSCRIBE, id: 7, params: { uri: { not: "a uri" } } };

for (const engine of engines) {
  describe(`Hostile input, on ${engine}`, () => {
    for (const [kind, id] of Object.entries(IDS)) {
      it(`survives an Mcp-Session-Id with ${kind}`, async () => {
        await using server = await start(engine);
        const { httpUrl, managers: { streams } } = server;
        const headers = { "mcp-session-id": id };
        for (
          const body of [
            INITIALIZE,
            SUBSCRIBE,
            SET_LEVEL,
            UNSUBSCRIBE,
            WHO_AM_I,
          ]
        ) await statusOf(httpUrl, "POST", headers, body);
        await statusOf(httpUrl, "GET", headers);
        await statusOf(httpUrl, "DELETE", headers);
        await statusOf(server.sseUrl, "GET", headers);
        await statusOf(server.sseUrl, "DELETE", headers);
        server.mcp.changed("resource", NEWS);
        server.mcp.changed("tools");

        // The invalid session IDs were rejected and reported.
        assertEquals(
          [...new Set(server.reported.map(({ name }) => name))],
          ["InvalidArgumentError"],
        );
        assertEquals(await server.managers.info.getSubscriptions(NEWS), []);
        assertEquals(await streams.has(id), false);
        await assertServes(server);
      });
    }

    it("survives values that the protocol does not define", async () => {
      await using server = await start(engine);
      const headers = { "mcp-session-id": "mallory" };
      for (const body of [INVALID_LEVEL, INVALID_URI]) {
        assertEquals(
          await statusOf(server.httpUrl, "POST", headers, body),
          200,
        );
      }
      assertEquals(
        server.reported.map(({ name }) => name),
        ["InvalidArgumentError", "InvalidArgumentError"],
      );
      await assertServes(server);
    });

    it("survives clients that disconnect during a broadcast", async () => {
      await using server = await start(engine);
      const { httpUrl, managers: { streams } } = server;
      const ids = Array.from({ length: 20 }, (_, index) => `mallory-${index}`);
      const sockets = await Promise.all(
        ids.map((id) => openSocket(httpUrl, "GET", { "mcp-session-id": id })),
      );
      for (const id of ids) await until(() => streams.has(id), "a stream");
      for (const socket of sockets) {
        server.mcp.changed("tools");
        socket.destroy();
        server.mcp.changed("tools");
      }
      for (const id of ids) {
        await until(async () => !await streams.has(id), "the session to end");
      }
      await assertServes(server);
    });
  });
}

async function start(engine: Engine) {
  const reported: Error[] = [];
  const onError = (error: Error) => void reported.push(error);
  const server = await startServer({
    engine,
    managers: new InMemorySessions({ onError }),
    sseManagers: new InMemorySessions({ onError }),
  });
  return { ...server, reported };
}

/** Returns the status of the response, or 0 if there is none. */
async function statusOf(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<number> {
  const socket = await openSocket(url, method, headers, body);
  let isClosed = false;
  const closed = socket.closed.then(() => isClosed = true);
  // The server must either respond or close the connection.
  await until(() => isClosed || socket.received().includes("\r\n\r\n"), method);
  socket.destroy();
  await within(closed, "the connection to close");
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(socket.received())?.[1] ?? 0);
}

/** Asserts that the server still works for well-behaved clients. */
async function assertServes(
  server: Awaited<ReturnType<typeof start>>,
): Promise<void> {
  await using alice = await connectHttp(
    server.httpUrl,
    server.managers.streams,
  );
  await using bob = await connectSse(server.sseUrl, { name: "bob" });
  for (const { client, notifications } of [alice, bob]) {
    const { clientInfo } = await whoAmI(client) as { clientInfo: unknown };
    assertEquals(clientInfo, {
      name: client === alice.client ? "alice" : "bob",
      version: "1.2.3",
    });
    await client.subscribeResource({ uri: NEWS });
    server.mcp.changed("resource", NEWS);
    await until(() => notifications.length > 0, "the update");
    assertEquals(
      summary(notifications)[0],
      `notifications/resources/updated ${NEWS}`,
    );
  }
}
