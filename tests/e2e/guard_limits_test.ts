import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectModern } from "./support/clients.ts";
import {
  assertRefused,
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
} from "./support/guarded.ts";
import { INITIALIZE } from "./support/server.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const SESSION = "mcp-session-id";
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

for (const engine of engines) {
  describe(`Guard: limits, on ${engine}`, () => {
    it("refuses a session above maxSessions with a Retry-After header", async () => {
      await using server = await startGuarded(engine, {
        info: { maxSessions: 2 },
      });
      const { httpUrl } = server;
      const first = await beginSession(httpUrl);
      const second = await beginSession(httpUrl);
      for (let attempt = 0; attempt < 3; attempt++) {
        await assertRetryLater(await sendRequest(httpUrl, {}, INITIALIZE));
      }
      for (const id of [first, second]) {
        assertEquals(await statusOf(server, id), 200);
      }
      await deleteSession(server, first);
      const third = await beginSession(httpUrl);
      assertEquals(await statusOf(server, third), 200);
      await assertRetryLater(await sendRequest(httpUrl, {}, INITIALIZE));
      // Only the four refused sessions are reported, with two errors each.
      assertEquals(server.reported.length, 8);
      for (const { name } of server.reported) {
        assertEquals(name, "SessionLimitError");
      }
    });

    it("refuses a stream above maxSessions with a Retry-After header", async () => {
      await using server = await startGuarded(engine, {
        streams: { maxSessions: 1 },
      });
      const { httpUrl, sessions } = server;
      const first = await beginSession(httpUrl);
      const second = await beginSession(httpUrl);
      const stream = await sendRequest(httpUrl, { [SESSION]: first });
      assertEquals(stream.status, 200);
      await assertRetryLater(
        await sendRequest(httpUrl, { [SESSION]: second }),
      );
      assertEquals(await sessions.streams.has(second), false);
      // A session that has a slot keeps it when it reconnects.
      const again = await sendRequest(httpUrl, { [SESSION]: first });
      assertEquals(again.status, 200);
      await stream.text();
      await assertRetryLater(
        await sendRequest(httpUrl, { [SESSION]: second }),
      );

      // The session continues without a stream.
      assertEquals(await statusOf(server, second), 200);
      await again.body?.cancel();
      await until(() => sessions.stats().attached === 0, "the stream to end");
      const taken = await sendRequest(httpUrl, { [SESSION]: second });
      assertEquals(taken.status, 200);
      await taken.body?.cancel();
      assertEquals(server.reported, []);
    });

    it("S12 enforces the limits when many clients connect at once", async () => {
      await using server = await startGuarded(engine, {
        info: { maxSessions: 7 },
        streams: { maxSessions: 3 },
      });
      const { httpUrl, sessions } = server;
      const initialized = await Promise.all(
        Array.from({ length: 15 }, () => sendRequest(httpUrl, {}, INITIALIZE)),
      );
      await Promise.all(initialized.map((response) => response.text()));
      const statuses = initialized.map(({ status }) => status).toSorted();
      assertEquals(statuses, [...Array(7).fill(200), ...Array(8).fill(503)]);

      const ids = initialized.filter(({ status }) => status === 200)
        .map(({ headers }) => headers.get(SESSION)!);
      const streams = await Promise.all(
        ids.map((id) => sendRequest(httpUrl, { [SESSION]: id })),
      );
      assertEquals(
        streams.map(({ status }) => status).toSorted(),
        [...Array(3).fill(200), ...Array(4).fill(503)],
      );
      assertEquals(sessions.stats().attached, 3);
      for (const { body } of streams) await body?.cancel();
    });

    it("H3 a stream that is being replaced keeps its slot", async () => {
      let release = () => {};
      const released = new Promise<void>((resolve) => release = resolve);
      await using server = await startGuarded(engine, {
        streams: { maxSessions: 1 },
        // Simulates a transport that looks up a token in a database.
        wrapTransport: (respond) => async (request) => {
          if (request.headers.has("x-slow")) await released;
          return await respond(request);
        },
      });
      const { httpUrl, sessions } = server;
      const alice = await beginSession(httpUrl);
      const bob = await beginSession(httpUrl);
      const old = await sendRequest(httpUrl, { [SESSION]: alice });
      const pending = sendRequest(httpUrl, { [SESSION]: alice, "x-slow": "1" });
      await until(
        async () => !await sessions.streams.has(alice),
        "the second GET request of Alice",
      );
      await old.body?.cancel();
      await until(
        () => sessions.stats().attached === 0,
        "the old stream to end",
      );
      await assertRetryLater(await sendRequest(httpUrl, { [SESSION]: bob }));
      release();
      const stream = await pending;
      assertEquals(stream.status, 200);
      assertEquals(await sessions.streams.has(alice), true);
      await stream.body?.cancel();
    });

    it("H3 concurrent GETs of one session take one slot", async () => {
      await using server = await startGuarded(engine, {
        streams: { maxSessions: 1 },
        wrapTransport: (respond) => async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return await respond(request);
        },
      });
      const { httpUrl, sessions } = server;
      const id = await beginSession(httpUrl);
      const responses = await Promise.all(
        Array.from(
          { length: 5 },
          () => sendRequest(httpUrl, { [SESSION]: id }),
        ),
      );
      assertEquals(responses.map(({ status }) => status), Array(5).fill(200));
      assertEquals(sessions.stats().attached, 1);
      await sessions.streams.delete(id);
      for (const response of responses) await response.text();
    });

    it("official clients are notified that the limit is reached", async () => {
      await using server = await startGuarded(engine, {
        info: { maxSessions: 1 },
        streams: { maxSessions: 1 },
      });
      const { httpUrl, sessions } = server;
      await using alice = await connectHttp(httpUrl, sessions.streams);
      const error = await assertRejects(() =>
        connectHttp(httpUrl, sessions.streams)
      );
      assertEquals((error as { code?: unknown }).code, 503);
      await alice.client.ping();
      assertEquals(alice.errors, []);
      // The per-request era has no sessions, so the limit doesn't apply.
      await using carol = await connectModern(httpUrl);
      await carol.client.listTools();
    });

    it("starts no session after the sessions are closed", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions } = server;
      const id = await beginSession(httpUrl);
      await sessions.close();
      await assertRetryLater(await sendRequest(httpUrl, {}, INITIALIZE));
      for (const body of [undefined, PING]) {
        await assertRefused(
          await sendRequest(httpUrl, { [SESSION]: id }, body),
          404,
        );
      }
    });
  });
}

async function assertRetryLater(response: Response): Promise<void> {
  const seconds = response.headers.get("retry-after");
  await assertRefused(response, 503);
  assertEquals(seconds, "5");
}

/** Sends a request of a session and returns the status of the response. */
async function statusOf({ httpUrl }: GuardedServer, id: string) {
  const response = await sendRequest(httpUrl, { [SESSION]: id }, PING);
  await response.text();
  return response.status;
}

async function deleteSession(
  { httpUrl }: GuardedServer,
  id: string,
): Promise<void> {
  const response = await fetch(httpUrl, {
    method: "DELETE",
    headers: { [SESSION]: id },
  });
  await response.body?.cancel();
  assertEquals(response.status, 200);
}
