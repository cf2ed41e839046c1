import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, summary } from "./support/clients.ts";
import {
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { openSocket } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { until, within } from "./support/until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";

for (const engine of engines) {
  describe(`Guard: streams of a session, on ${engine}`, () => {
    it("H3 a GET replaces the stream of an official client", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams);
      const response = await openStream(server, alice.sessionId);
      await until(() => alice.errors.length > 0, "the old stream to end");
      server.mcp.changed("tools");
      assertEquals(await endAndCountEvents(server, response), 1);
      assertEquals(alice.notifications, []);
      // Other requests of the old client are still answered.
      await alice.client.ping();
    });

    it("H3 an official client can reconnect while another stream of its session hangs", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams, {
        reconnect: true,
      });
      // Replaces the client's own stream. The client reconnects and replaces
      // this one in turn.
      const hanging = await openSocket(server.httpUrl, "GET", {
        "mcp-session-id": alice.sessionId,
      });
      await until(
        () => hanging.received().endsWith("\r\n0\r\n\r\n"),
        "the hanging stream to end",
      );
      assertEquals(sessions.stats().attached, 1);
      server.mcp.changed("tools");
      await until(() => alice.notifications.length > 0, "the list change");
      assertEquals(summary(alice.notifications), [TOOLS_CHANGED]);
      assertEquals(
        server.responses.filter(({ status }) => status >= 400),
        [],
      );
      hanging.destroy();
    });

    it("H3 replaces a stream whose client has stopped reading", async () => {
      await using server = await startGuarded(engine, {
        streams: { backlog: false },
      });
      const { sessions } = server;
      const id = await beginSession(server.httpUrl);
      const stalled = await openSocket(server.httpUrl, "GET", {
        "mcp-session-id": id,
      });
      await until(() => sessions.streams.has(id), "the stream to open");
      stalled.pause();
      const frame = `data: ${"x".repeat(1_000_000)}\n\n`;
      while (sessions.stats().queuedBytes === 0) {
        sessions.streams.send([id], frame);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const response = await openStream(server, id);
      assertEquals(sessions.stats().attached, 1);
      assertEquals(sessions.stats().queuedBytes, 0);
      // The server notices the disconnect only now. The new stream must not be
      // affected.
      stalled.destroy();
      await within(stalled.closed, "the old connection to close");
      await new Promise((resolve) => setTimeout(resolve, 100));
      server.mcp.changed("tools");
      assertEquals(await endAndCountEvents(server, response), 1);
    });

    it("H3 the end of the old connection does not end the new stream", async () => {
      await using server = await startGuarded(engine);
      const id = await beginSession(server.httpUrl);
      for (let round = 0; round < 10; round++) {
        const old = await openSocket(server.httpUrl, "GET", {
          "mcp-session-id": id,
        });
        await until(
          () => server.sessions.streams.has(id),
          "the old stream to open",
        );
        const [response] = await Promise.all([
          openStream(server, id),
          // Before, during or after the replacement.
          new Promise((resolve) => setTimeout(resolve, round / 2))
            .then(() => old.destroy()),
        ]);
        await old.closed;
        await new Promise((resolve) => setTimeout(resolve, 5));
        server.mcp.changed("tools");
        assertEquals(await endAndCountEvents(server, response), 1);
      }
    });

    it("H3 of concurrent GETs, one keeps its stream and the others end", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      const id = await beginSession(server.httpUrl);
      const responses = await Promise.all(
        Array.from({ length: 10 }, () => openStream(server, id)),
      );
      await until(() => sessions.stats().attached === 1, "a stream");
      server.mcp.changed("tools");
      await sessions.streams.delete(id);
      const received = await Promise.all(
        responses.map((response) => countEvents(response)),
      );
      assertEquals(received.toSorted(), [...Array(9).fill(0), 1]);
    });

    it("keeps the stream if the transport refuses a GET", async () => {
      await using server = await startGuarded(engine, {
        wrapTransport: (respond) => (request) =>
          request.headers.has("x-unauthorized")
            ? Promise.resolve(new Response(null, { status: 401 }))
            : respond(request),
      });
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams);
      for (
        const [headers, status] of [
          [{ origin: "https://evil.example" }, 403],
          [{ "x-unauthorized": "1" }, 401],
        ] as const
      ) {
        const response = await sendRequest(server.httpUrl, {
          ...headers,
          "mcp-session-id": alice.sessionId,
        });
        await response.body?.cancel();
        assertEquals(response.status, status);
        assertEquals(await sessions.streams.has(alice.sessionId), true);
      }
      server.mcp.changed("tools");
      await until(() => alice.notifications.length > 0, "the list change");
      assertEquals(alice.errors, []);
    });

    it("keeps the stream if the transport fails", async () => {
      await using server = await startGuarded(engine);
      const { sessions } = server;
      await using alice = await connectHttp(server.httpUrl, sessions.streams);
      const failure = new Error("The database is down.");
      for (const method of ["GET", "POST", "DELETE"]) {
        // Calls the guard directly, because runtimes print errors that a
        // handler throws.
        const request = new Request(server.httpUrl, {
          method,
          headers: { "mcp-session-id": alice.sessionId },
        });
        for (
          const respond of [
            () => Promise.reject(failure),
            () => {
              throw failure;
            },
          ]
        ) {
          const outcome = await sessions.guard(request, respond)
            .catch((error) => error);
          assertEquals(outcome, failure);
          assertEquals(await sessions.streams.has(alice.sessionId), true);
        }
      }
      server.mcp.changed("tools");
      await until(() => alice.notifications.length > 0, "the list change");
    });
  });
}

/** Opens the stream of a session and checks the response head. */
async function openStream(
  { httpUrl }: GuardedServer,
  id: string,
): Promise<Response> {
  const response = await within(
    sendRequest(httpUrl, { "mcp-session-id": id }),
    "a stream",
  );
  assertEquals(response.status, 200);
  assert(response.headers.get("content-type")?.startsWith("text/event-stream"));
  return response;
}

/**
 * Ends the stream of a session and returns the number of events that it
 * delivered.
 */
async function endAndCountEvents(
  { sessions }: GuardedServer,
  response: Response,
): Promise<number> {
  assertEquals(sessions.stats().attached, 1);
  await sessions.streams.delete(response.headers.get("mcp-session-id")!);
  return await countEvents(response);
}

async function countEvents(response: Response): Promise<number> {
  const text = await within(response.text(), "the stream to end");
  return text.match(/^data: /gm)?.length ?? 0;
}
