import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp } from "./support/clients.ts";
import {
  assertJsonRpcError,
  assertRefused,
  beginSession,
  type GuardedServer,
  MESSAGES,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { sendRawRequest } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { INITIALIZE, NEWS } from "./support/server.ts";
import { until } from "./support/until.ts";
import { EMPTY_STATS } from "../support/empty_stats.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

const MALFORMED = {
  "a space": "two words",
  "a tab": "one\ttwo",
  "characters of Latin-1": "caf\xE9",
  "characters of UTF-8": "\xF0\x9F\x99\x82",
  "257 characters": "x".repeat(257),
  "no character": "",
  "two header fields": "one\r\nmcp-session-id: two",
};

for (const engine of engines) {
  describe(`Guard: life of a session, on ${engine}`, () => {
    for (const [what, id] of Object.entries(MALFORMED)) {
      it(`H1 refuses an Mcp-Session-Id with ${what}`, async () => {
        await using server = await startGuarded(engine);
        for (
          const [method, body] of [
            ["GET"],
            ["DELETE"],
            ...MESSAGES.map((body) => ["POST", body] as const),
          ] as const
        ) {
          const response = await sendRawRequest(
            server.httpUrl,
            method,
            { "mcp-session-id": id },
            body,
          );
          assertEquals(response.status, 400);
          assertJsonRpcError(response.body, 400);
        }
        await assertNothingStored(server);
      });
    }

    for (const id of ["invented", "__proto__", "x".repeat(256), "!~"]) {
      it(`H2 does not adopt a session ID that a client made up: ${id.slice(0, 10)}`, async () => {
        await using server = await startGuarded(engine);
        await assertUnknown(server, id);
        await assertNothingStored(server, id);
      });
    }

    it("H2 a deleted session is unknown", async () => {
      await using server = await startGuarded(engine);
      const id = await beginSession(server.httpUrl);
      const headers = { "mcp-session-id": id };
      const deleted = await fetch(server.httpUrl, {
        method: "DELETE",
        headers,
      });
      await deleted.body?.cancel();
      assertEquals(deleted.status, 200);
      await assertUnknown(server, id);
      await assertNothingStored(server, id);
    });

    it("H2 an expired session is unknown", async () => {
      await using server = await startGuarded(engine, {
        info: { idleTimeoutMs: 80 },
      });
      const id = await beginSession(server.httpUrl);
      await until(() => server.sessions.stats().expired === 1, "the end");
      await assertUnknown(server, id);
      assertEquals(
        sessionRegistryOf(server.sessions.info).registration(id),
        undefined,
      );
    });

    it("H2 a session with an open stream does not expire", async () => {
      await using server = await startGuarded(engine, {
        info: { idleTimeoutMs: 80 },
      });
      await using alice = await connectHttp(
        server.httpUrl,
        server.sessions.streams,
      );
      const idle = await beginSession(server.httpUrl);
      await until(() => server.sessions.stats().expired === 1, "the other's");
      await assertUnknown(server, idle);
      await alice.client.ping();
    });

    it("H2 official clients learn that their session has ended", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams);
      await using bob = await connectHttp(server.httpUrl, sessions.streams);
      await sessions.info.delete(alice.sessionId);
      const error = await assertRejects(() => alice.client.ping());
      assertEquals((error as { code?: unknown }).code, 404);
      await bob.client.ping();

      // A new session is how the specification tells them to go on.
      await using again = await connectHttp(server.httpUrl, sessions.streams);
      await again.client.ping();
    });

    it("H2 deleting a session ends the stream of its official client", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams, {
        reconnect: true,
      });
      await alice.client.subscribeResource({ uri: NEWS });
      const { sessionId } = alice;
      // The way of the client that the session is deleted behind its back.
      const response = await fetch(server.httpUrl, {
        method: "DELETE",
        headers: { "mcp-session-id": sessionId },
      });
      await response.body?.cancel();
      await until(
        () => alice.errors.some(({ message }) => /reconnect/.test(message)),
        "the client to be refused when it reconnects",
      );
      // Between two attempts: the SDK does not give up one that is on its way.
      await alice.close();
      await assertUnknown(server, sessionId);
      await assertNothingStored(server, sessionId);
    });

    it("responses 404 if the transport returns nothing", async () => {
      await using server = await startGuarded(engine, {
        wrapTransport: () => () => Promise.resolve(null),
      });
      for (const body of [undefined, INITIALIZE]) {
        const response = await sendRequest(server.httpUrl, {}, body);
        assertEquals(response.status, 404);
        assertEquals(await response.text(), "");
      }
    });
  });
}

/** Fails unless a session is unknown to every method. */
async function assertUnknown(
  { httpUrl }: GuardedServer,
  id: string,
): Promise<void> {
  const headers = { "mcp-session-id": id };
  for (const body of [undefined, ...MESSAGES]) {
    await assertRefused(await sendRequest(httpUrl, headers, body), 404);
  }
  const request = new Request(httpUrl, { method: "DELETE", headers });
  await assertRefused(await fetch(request), 404);
}

/** Fails if a server remembers anything. */
async function assertNothingStored(
  { sessions, reported }: GuardedServer,
  id = "-",
): Promise<void> {
  const { info, streams } = sessions;
  assertEquals(reported, []);
  assertEquals(sessionRegistryOf(info).registration(id), undefined);
  for (
    const get of [
      () => info.getClientInfo(id),
      () => info.getClientCapabilities(id),
      () => info.getLogLevel(id),
    ]
  ) await assertRejects(get);
  assertEquals(await info.getSubscriptions(NEWS), []);
  assertEquals(await streams.has(id), false);
  assertEquals(sessions.stats(), EMPTY_STATS);
}
