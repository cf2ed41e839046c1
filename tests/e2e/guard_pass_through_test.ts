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
  sendRequest,
  startGuarded,
  withHeaders,
} from "./support/guarded.ts";
import { INITIALIZE } from "./support/server.ts";
import { type Engine, engines, serve } from "./support/serve.ts";
import { until, within } from "./support/until.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

const SESSION = "mcp-session-id";
const VERSION = "mcp-protocol-version";

for (const engine of engines) {
  describe(`Guard: requests and responses that pass, on ${engine}`, () => {
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
          // Methods without a meaning for sessions.
          ["OPTIONS", { [SESSION]: "unknown" }],
          ["HEAD", { [SESSION]: "not an id" }],
          ["PUT", { [SESSION]: "unknown" }],
        ] as const
      ) {
        const hasBody = !["GET", "HEAD", "OPTIONS"].includes(method);
        const response = await fetch(server.url, {
          method,
          headers,
          ...hasBody && { body: `a body of ${method}` },
        });
        const text = await response.text();
        assertEquals(response.status, 200);
        if (method !== "HEAD") {
          assertEquals(text, hasBody ? `a body of ${method}` : "");
        }
        assertEquals(response.headers.get("x-seen"), JSON.stringify(headers));
        assertEquals(server.passedUnchanged.splice(0), [true]);
      }
      assertEquals(sessions.stats().attached, 0);
    });

    it("H6 removes a session ID that means nothing in the per-request era", async () => {
      await using server = await startEchoServer(engine);
      for (const id of [server.id, "unknown", "not an id"]) {
        const response = await fetch(server.url, {
          method: "POST",
          headers: { [VERSION]: PER_REQUEST_VERSION, [SESSION]: id },
          body: "a body",
        });
        assertEquals(await response.text(), "a body");
        assertEquals(
          response.headers.get("x-seen"),
          JSON.stringify({ [VERSION]: PER_REQUEST_VERSION }),
        );
      }
    });

    it("H6 neither reads nor delays bodies that are streamed", async () => {
      await using server = await startEchoServer(engine);
      const kinds: Record<string, string>[] = [
        {},
        { [VERSION]: PER_REQUEST_VERSION },
        { [VERSION]: PER_REQUEST_VERSION, [SESSION]: "ignored" },
        { [SESSION]: server.id },
      ];
      for (const headers of kinds) {
        await using upload = await openUpload(server.url, headers);
        // The answer to a part arrives before the next part is sent.
        for (const part of ["one", "two", "three"]) {
          upload.write(part);
          await until(() => upload.received() === part, `"${part}" back`);
          upload.forget();
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
      const { clientInfo } = await whoAmI(carol.client) as {
        clientInfo: unknown;
      };
      assertEquals(clientInfo, { name: "carol", version: "1.2.3" });
      const subscription = await carol.client.listen({
        toolsListChanged: true,
      });
      mcp.changed("tools");
      await until(() => carol.notifications.length > 0, "the list change");
      await sessions.subscriptions.closeAll(undefined, "closed");
      assertEquals(await within(subscription.closed, "the end"), "graceful");
    });

    for (const whose of ["an unknown", "a malformed", "somebody's"]) {
      it(`H6 ignores ${whose} session ID of a client of the per-request era`, async () => {
        await using server = await startGuarded(engine);
        const { httpUrl, sessions, mcp } = server;
        const id = whose === "somebody's"
          ? await beginSession(httpUrl)
          : whose === "a malformed"
          ? "no id"
          : "unknown";
        await using carol = await connectModern(httpUrl, {
          name: "carol",
          fetch: withHeaders({ [SESSION]: id }),
        });
        const { clientInfo } = await whoAmI(carol.client) as {
          clientInfo: unknown;
        };
        assertEquals(clientInfo, { name: "carol", version: "1.2.3" });
        const subscription = await carol.client.listen({
          toolsListChanged: true,
        });
        mcp.changed("tools");
        await until(() => carol.notifications.length > 0, "the list change");
        assertEquals(
          server.responses.map(({ headers }) => headers.get(SESSION))
            .filter((assigned) => assigned !== null).length,
          whose === "somebody's" ? 1 : 0,
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
        assertEquals(isKnown, whose === "somebody's");
      });
    }

    it("H6 notices that a client of the per-request era left, also with a session ID", async () => {
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
          // What is written to a connection that is gone makes it known.
          mcp.changed("tools");
          return !await server.http.closeSubscription(listening);
        }, "the end of the subscription");
      }
    });

    it("H6 refuses without reading the body, and the connection can be used again", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl } = server;
      const large = { ...INITIALIZE, padding: "x".repeat(4_000_000) };
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

/** A server that sends back what it gets, behind the guard. */
async function startEchoServer(engine: Engine) {
  const sessions = new InMemorySessions();
  const passedUnchanged: boolean[] = [];
  const served = await serve((request) =>
    sessions.guard(request, (given) => {
      passedUnchanged.push(given === request && !given.bodyUsed);
      const seen = [SESSION, VERSION].flatMap((name) => {
        const value = given.headers.get(name);
        return value === null ? [] : [[name, value]];
      });
      return new Response(given.body, {
        headers: { "x-seen": JSON.stringify(Object.fromEntries(seen)) },
      });
    }), engine);
  const id = "begun";
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

/** A POST whose body is sent part by part. */
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
    forget: () => void (received = ""),
    [Symbol.asyncDispose]: () => {
      upload.destroy();
      return Promise.resolve();
    },
  };
}
