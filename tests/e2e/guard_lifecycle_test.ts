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
  SESSION_MESSAGES,
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
  "Latin-1 characters": "caf\xE9",
  "UTF-8 characters": "\xF0\x9F\x99\x82",
  "257 characters": "x".repeat(257),
  "no characters": "",
  "two header fields": "one\r\nmcp-session-id: two",
};

for (const engine of engines) {
  describe(`Guard: session lifecycle, on ${engine}`, () => {
    for (const [kind, id] of Object.entries(MALFORMED)) {
      it(`H1 refuses an Mcp-Session-Id with ${kind}`, async () => {
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
      it(`H2 rejects a session ID that the client made up: ${id.slice(0, 10)}`, async () => {
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
      await until(
        () => server.sessions.stats().expired === 1,
        "the session to expire",
      );
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
      await until(
        () => server.sessions.stats().expired === 1,
        "the idle session to expire",
      );
      await assertUnknown(server, idle);
      await alice.client.ping();
    });

    it("H2 official clients notice that their session has ended", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams);
      await using bob = await connectHttp(server.httpUrl, sessions.streams);
      await sessions.info.delete(alice.sessionId);
      const error = await assertRejects(() => alice.client.ping());
      assertEquals((error as { code?: unknown }).code, 404);
      await bob.client.ping();

      // The specification requires clients to start a new session.
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
      // Deletes the session without the client's knowledge.
      const response = await fetch(server.httpUrl, {
        method: "DELETE",
        headers: { "mcp-session-id": sessionId },
      });
      await response.body?.cancel();
      await until(
        () => alice.errors.some(({ message }) => /reconnect/.test(message)),
        "the client to be refused when it reconnects",
      );
      // Closes the client between two attempts, because the SDK doesn't abort a
      // pending one.
      await alice.close();
      await assertUnknown(server, sessionId);
      await assertNothingStored(server, sessionId);
    });

    it("responds with 404 if the transport returns nothing", async () => {
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

/** Asserts that requests of every method get 404, except `initialize`. */
async function assertUnknown(
  { httpUrl }: GuardedServer,
  id: string,
): Promise<void> {
  const headers = { "mcp-session-id": id };
  for (const body of [undefined, ...SESSION_MESSAGES]) {
    await assertRefused(await sendRequest(httpUrl, headers, body), 404);
  }
  const request = new Request(httpUrl, { method: "DELETE", headers });
  await assertRefused(await fetch(request), 404);
}

/** Asserts that the server has stored nothing. */
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
  // What has happened is counted, and nothing is left.
  const { begun, ended, ...left } = sessions.stats();
  assertEquals(begun, ended.deleted);
  const { begun: _, ended: __, ...nothing } = EMPTY_STATS;
  assertEquals(left, nothing);
}
