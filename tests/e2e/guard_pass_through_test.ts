import { InMemorySessions } from "@crossmcp/session-manager";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { describe, it } from "node:test";
import {
  connectModern,
  PER_REQUEST_VERSION,
  whoAmI,
} from "./support/clients.ts";
import {
  beginSession,
  type GuardedServer,
  sendRequest,
  startGuarded,
  withHeaders,
} from "./support/guarded.ts";
import { type Engine, engines, serve } from "./support/serve.ts";
import { until, within } from "./support/until.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

const SESSION = "mcp-session-id";
const VERSION = "mcp-protocol-version";
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

for (const engine of engines) {
  describe(`Guard: pass-through, on ${engine}`, () => {
    it("H6 passes requests on unchanged", async () => {
      await using server = await startEchoServer(engine);
      const { sessions, id } = server;
      for (
        const [method, headers] of [
          ...["GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"].flatMap((
            method,
          ) => [
            [method, {}] as const,
            [method, { [VERSION]: PER_REQUEST_VERSION }] as const,
            [method, { [SESSION]: id }] as const,
          ]),
          // The guard ignores the session ID for these methods.
          ["OPTIONS", { [SESSION]: "unknown" }],
          ["HEAD", { [SESSION]: "not an id" }],
          ["PUT", { [SESSION]: "unknown" }],
        ] as const
      ) {
        const hasBody = !["GET", "HEAD", "OPTIONS"].includes(method);
        const response = await fetch(server.url, {
          method,
          headers,
          ...hasBody && { body: `body of ${method}` },
        });
        const text = await response.text();
        assertEquals(response.status, 200);
        if (method !== "HEAD") {
          assertEquals(text, hasBody ? `body of ${method}` : "");
        }
        assertEquals(response.headers.get("x-seen"), JSON.stringify(headers));
        assertEquals(server.passedUnchanged.splice(0), [true]);
      }
      assertEquals(sessions.stats().attached, 0);
    });

    it("H6 removes the session ID, which has no meaning in the per-request era", async () => {
      await using server = await startEchoServer(engine);
      for (const id of [server.id, "unknown", "not an id"]) {
        const response = await fetch(server.url, {
          method: "POST",
          headers: { [VERSION]: PER_REQUEST_VERSION, [SESSION]: id },
          body: "some body",
        });
        assertEquals(await response.text(), "some body");
        assertEquals(
          response.headers.get("x-seen"),
          JSON.stringify({ [VERSION]: PER_REQUEST_VERSION }),
        );
      }
    });

    it("H6 neither reads nor delays streamed bodies", async () => {
      await using server = await startEchoServer(engine);
      const kinds: Record<string, string>[] = [
        {},
        { [VERSION]: PER_REQUEST_VERSION },
        { [VERSION]: PER_REQUEST_VERSION, [SESSION]: "ignored" },
        { [SESSION]: server.id },
      ];
      for (const headers of kinds) {
        await using upload = await openUpload(server.url, headers);
        // Each part is echoed before the next one is sent.
        for (const part of ["one", "two", "three"]) {
          upload.write(part);
          await until(() => upload.received() === part, `"${part}" back`);
          upload.clear();
        }
      }
    });

    it("H6 returns the response unchanged", async () => {
      await using server = await startEchoServer(engine);
      const { sessions, url, id } = server;
      const kinds: HeadersInit[] = [{}, { [SESSION]: id }];
      for (const headers of kinds) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const response = new Response("from the transport", { status: 418 });
          assertStrictEquals(
            await sessions.guard(
              new Request(url, { method, headers }),
              () => response,
            ),
            response,
          );
          assertEquals(response.bodyUsed, false);
        }
      }
    });

    it("H6 does not affect an official client of the per-request era", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions, mcp } = server;
      await using carol = await connectModern(httpUrl, { name: "carol" });
      const subscription = await assertServed(carol, mcp);
      await sessions.subscriptions.closeAll(undefined, "closed");
      assertEquals(
        await within(subscription.closed, "the subscription to end"),
        "graceful",
      );
    });

    for (const kind of ["an unknown", "a malformed", "an existing"]) {
      it(`H6 ignores ${kind} session ID in the per-request era`, async () => {
        await using server = await startGuarded(engine);
        const { httpUrl, sessions, mcp } = server;
        const id = kind === "an existing"
          ? await beginSession(httpUrl)
          : kind === "a malformed"
          ? "no id"
          : "unknown";
        await using carol = await connectModern(httpUrl, {
          name: "carol",
          fetch: withHeaders({ [SESSION]: id }),
        });
        const subscription = await assertServed(carol, mcp);
        assertEquals(
          server.responses.map(({ headers }) => headers.get(SESSION))
            .filter((id) => id !== null).length,
          kind === "an existing" ? 1 : 0,
        );
        await subscription.close();
        for (const method of ["GET", "DELETE"]) {
          const response = await fetch(httpUrl, {
            method,
            headers: { [SESSION]: id, [VERSION]: PER_REQUEST_VERSION },
          });
          await response.body?.cancel();
          assertEquals(response.status, 405);
        }
        const isKnown =
          sessionRegistryOf(sessions.info).registration(id) !== undefined;
        assertEquals(isKnown, kind === "an existing");
      });
    }

    it("H6 notices that a client of the per-request era has disconnected, even with a session ID", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, mcp } = server;
      const kinds: Record<string, string>[] = [{}, { [SESSION]: "ignored" }];
      for (const headers of kinds) {
        const carol = await connectModern(httpUrl, {
          fetch: withHeaders(headers),
        });
        await carol.client.listen({ toolsListChanged: true });
        const listening = server.responses.at(-1)!;
        await carol.close();
        await until(async () => {
          // The server notices the disconnect when it writes to the connection.
          mcp.changed("tools");
          return !await server.http.closeSubscription(listening);
        }, "the subscription to end");
      }
    });

    it("H6 refuses a large request, and the connection can be reused", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl } = server;
      const large = { ...PING, padding: "x".repeat(4_000_000) };
      for (let round = 0; round < 5; round++) {
        const refused = await within(
          sendRequest(httpUrl, { [SESSION]: "unknown" }, large),
          "a refusal",
        );
        assertEquals(refused.status, 404);
        assert((await refused.text()).startsWith("{"));
        await within(beginSession(httpUrl), "the next response");
      }
    });
  });
}

/**
 * Asserts that a client of the per-request era calls tools and receives
 * notifications. Returns its subscription.
 */
async function assertServed(
  { client, notifications }: Awaited<ReturnType<typeof connectModern>>,
  mcp: GuardedServer["mcp"],
) {
  const { clientInfo } = await whoAmI(client) as { clientInfo: unknown };
  assertEquals(clientInfo, { name: "carol", version: "1.2.3" });
  const subscription = await client.listen({ toolsListChanged: true });
  mcp.changed("tools");
  await until(() => notifications.length > 0, "the list change");
  return subscription;
}

/** Starts a server behind the guard that echoes request bodies. */
async function startEchoServer(engine: Engine) {
  const sessions = new InMemorySessions();
  const passedUnchanged: boolean[] = [];
  const served = await serve((request) =>
    sessions.guard(request, (passed) => {
      passedUnchanged.push(passed === request && !passed.bodyUsed);
      const seen = [SESSION, VERSION].flatMap((name) => {
        const value = passed.headers.get(name);
        return value === null ? [] : [[name, value]];
      });
      return new Response(passed.body, {
        headers: { "x-seen": JSON.stringify(Object.fromEntries(seen)) },
      });
    }), engine);
  const id = "known";
  sessionRegistryOf(sessions.info).register(id, {
    principal: undefined,
    startEventId: undefined,
  });
  return {
    ...served,
    url: `${served.url}/mcp`,
    sessions,
    id,
    passedUnchanged,
  };
}

/** Starts a POST request whose body is sent in parts. */
async function openUpload(url: string, headers: Record<string, string>) {
  let received = "";
  const upload: ClientRequest = request(url, { method: "POST", headers });
  upload.on("error", () => {});
  upload.on("response", (response: IncomingMessage) => {
    response.setEncoding("utf8");
    response.on("data", (data: string) => received += data);
  });
  upload.flushHeaders();
  await Promise.resolve();
  return {
    write: (part: string) => void upload.write(part),
    received: () => received,
    clear: () => void (received = ""),
    [Symbol.asyncDispose]: () => {
      upload.destroy();
      return Promise.resolve();
    },
  };
}
