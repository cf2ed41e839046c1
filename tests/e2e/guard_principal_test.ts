import {
  InMemorySessions,
  InvalidArgumentError,
} from "@crossmcp/session-manager";
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, summary, whoAmI } from "./support/clients.ts";
import {
  assertRefused,
  beginSession,
  sendRequest,
  SESSION_MESSAGES,
  startGuarded,
  USER_HEADER,
  withHeaders,
} from "./support/guarded.ts";
import { INITIALIZE } from "./support/server.ts";
import { sendRawRequest } from "./support/raw_socket.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";

const OTHER_PRINCIPALS = {
  "another principal": { [USER_HEADER]: "bob" },
  "no principal": {},
  "the empty principal": { [USER_HEADER]: "" },
  "another spelling": { [USER_HEADER]: "Alice" },
};
const ORIGINS: Record<string, string>[] = [
  {},
  { origin: "https://evil.example" },
];
const REQUESTS = [
  ["GET"],
  ["DELETE"],
  ...SESSION_MESSAGES.map((body) => ["POST", body] as const),
] as const;

for (const engine of engines) {
  describe(`Guard: principals, on ${engine}`, () => {
    for (const [other, user] of Object.entries(OTHER_PRINCIPALS)) {
      it(`H5 to ${other}, a session looks unknown`, async () => {
        await using server = await startGuarded(engine);
        const { httpUrl, sessions } = server;
        await using alice = await connectHttp(httpUrl, sessions.streams, {
          fetch: withHeaders({ [USER_HEADER]: "alice" }),
        });
        await alice.client.setLoggingLevel("error");
        for (const origin of ORIGINS) {
          for (const [method, body] of REQUESTS) {
            const responseTo = async (id: string) => {
              const headers = { ...user, ...origin, "mcp-session-id": id };
              const { head, ...rest } = await sendRawRequest(
                httpUrl,
                method,
                headers,
                body,
              );
              return { ...rest, head: head.replace(/^date: .*$/im, "") };
            };
            const response = await responseTo(alice.sessionId);
            assertEquals(response, await responseTo(crypto.randomUUID()));
            assertEquals(response.status, 404);
          }
        }
        server.mcp.changed("tools");
        await until(() => alice.notifications.length > 0, "the list change");
        assertEquals(summary(alice.notifications), [
          "notifications/tools/list_changed",
        ]);
        assertEquals(alice.errors, []);
        assertEquals(await whoAmI(alice.client), {
          clientInfo: { name: "alice", version: "1.2.3" },
          clientCapabilities: {},
          logLevel: "error",
        });
      });
    }

    it("H5 a principal can have several sessions, and only it can use them", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl } = server;
      const users = ["alice", "bob", undefined];
      const sessionsOfUsers = await Promise.all(users.map(async (user) => {
        const headers: Record<string, string> = user === undefined
          ? {}
          : { [USER_HEADER]: user };
        return {
          headers,
          ids: [
            await beginSession(httpUrl, headers),
            await beginSession(httpUrl, headers),
          ],
        };
      }));
      const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
      for (const { headers } of sessionsOfUsers) {
        for (const { ids, headers: owner } of sessionsOfUsers) {
          for (const id of ids) {
            const response = await sendRequest(
              httpUrl,
              { ...headers, "mcp-session-id": id },
              ping,
            );
            await response.text();
            assertEquals(response.status, headers === owner ? 200 : 404);
          }
        }
      }
    });

    it("H5 requests of other principals do not keep a session alive", async () => {
      await using server = await startGuarded(engine, {
        info: { idleTimeoutMs: 150 },
      });
      const id = await beginSession(server.httpUrl, { [USER_HEADER]: "alice" });
      const headers = { [USER_HEADER]: "bob", "mcp-session-id": id };
      await until(
        async () => {
          await assertRefused(await sendRequest(server.httpUrl, headers), 404);
          return server.sessions.stats().expired === 1;
        },
        "the session to expire",
        1_500,
      );
    });

    it("H5 a session ID assigned to two principals stays with the first one", async () => {
      await using server = await startGuarded(engine, {
        transport: { getSessionId: () => "not-random" },
      });
      const { httpUrl } = server;
      await beginSession(httpUrl, { [USER_HEADER]: "alice" });
      const headers = { [USER_HEADER]: "bob" };
      await assertRefused(await sendRequest(httpUrl, headers, INITIALIZE), 404);
      for (const [user, status] of [["alice", 200], ["bob", 404]] as const) {
        const response = await sendRequest(httpUrl, {
          "mcp-session-id": "not-random",
          [USER_HEADER]: user,
        }, { jsonrpc: "2.0", id: 1, method: "ping" });
        await response.text();
        assertEquals(response.status, status);
      }
    });

    it("H5 refuses a principal of more than 1,024 characters", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl } = server;
      const longest = { [USER_HEADER]: "x".repeat(1_024) };
      const id = await beginSession(httpUrl, longest);
      const longer = { [USER_HEADER]: "x".repeat(1_025) };
      await assertRefused(await sendRequest(httpUrl, longer, INITIALIZE), 400);
      await assertRefused(
        await sendRequest(httpUrl, { ...longer, "mcp-session-id": id }),
        400,
      );
    });
  });
}

it("H5 refuses a principal that is not a string", async () => {
  await using sessions = new InMemorySessions();
  let calls = 0;
  for (const principal of [null, 1, {}]) {
    await assertRejects(
      () =>
        sessions.guard(
          new Request("http://localhost/mcp"),
          () => {
            calls++;
            return null;
          },
          { principal: principal as unknown as string },
        ),
      InvalidArgumentError,
      "principal",
    );
  }
  assertEquals(calls, 0);
});
