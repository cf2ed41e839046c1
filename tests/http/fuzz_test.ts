import { InMemorySessions } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";

const MAX = { sessions: 3, subscriptions: 2 };

describe("random input", () => {
  it("L9 every HTTP request gets a response, and harms no session", async () => {
    await using sessions = new InMemorySessions({
      streams: { replay: { maxEvents: 50 } },
      http: { maxBodyBytes: 500 },
    });
    const honest = await TestClient.begin(sessions, { principal: "honest" });
    const known = await TestClient.begin(sessions);
    const headers = fc.record({
      "mcp-session-id": fc.oneof(
        fc.constant(known.id),
        fc.constant(honest.id),
        fc.uuid(),
        fc.string({ unit: "grapheme-ascii" }),
      ),
      "mcp-protocol-version": fc.constantFrom("2025-11-25", "2026-07-28", "x"),
      "last-event-id": fc.oneof(
        fc.constantFrom("0-0", "-1", "0123456789abcdef-1"),
        fc.string({ unit: "grapheme-ascii" }),
      ),
      "content-type": fc.constantFrom("application/json", "text/plain"),
      "content-length": fc.constantFrom("0", "-1", "1e9", "x"),
      origin: fc.constantFrom("null", "https://a.example", ""),
    }, { requiredKeys: [] });
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constant("x".repeat(600)),
      fc.record({
        jsonrpc: fc.constant("2.0"),
        id: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
        method: fc.constantFrom("initialize", "ping", "tools/call"),
        params: fc.anything({ maxDepth: 2 }),
      }).map((message) => {
        try {
          return JSON.stringify(message);
        } catch {
          return "";
        }
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "DELETE", "PUT", "OPTIONS"),
        headers,
        body,
        fc.constantFrom(undefined, "", "a", "x".repeat(1_100)),
        async (method, given, text, principal) => {
          const request = new Request("http://localhost/mcp", {
            method,
            headers: usable(given),
            ...(method === "POST" || method === "PUT") && { body: text },
          });
          const { transport } = new TestClient(sessions);
          const response = await sessions.guard(
            request,
            transport.respond,
            principal === undefined ? {} : { principal },
          );
          assert(response.status >= 200 && response.status < 600);
          await response.body?.cancel();
          assertEquals(await honest.ping(), 200);
        },
      ),
      {
        numRuns: 150,
        examples: [["POST", {}, "null", undefined], ["POST", {}, "[]", "a"]],
      },
    );
    assertEquals(await honest.end(), 200);
  });

  it("L2 L5 sessions and subscriptions are those of a model with the same limits", async () => {
    const principal = fc.constantFrom("p", "q");
    const session = fc.nat(5).map((id) => `s${id}`);
    const uri = fc.nat(3).map((id) => `file:///${id}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.nat(3), session, principal, uri),
          { maxLength: 60 },
        ),
        async (calls) => {
          await using sessions = new InMemorySessions({
            info: {
              maxSessionsPerPrincipal: MAX.sessions,
              maxSubscriptionsPerSession: MAX.subscriptions,
            },
          });
          const { info } = sessions;
          const owners = new Map<string, string>();
          const subscribed = new Map<string, Set<string>>();
          for (const [call, id, owner, uri] of calls) {
            const uris = subscribed.get(id) ?? new Set();
            if (call === 0) {
              const count = [...owners.values()].filter((it) => it === owner);
              const isKnown = owners.has(id);
              const isFull = count.length >= MAX.sessions;
              const status = isKnown
                ? owners.get(id) === owner ? 200 : 404
                : isFull
                ? 429
                : 200;
              assertEquals(await begin(sessions, id, owner), status);
              if (status === 200) owners.set(id, owner);
              // What the transport had stored of it is gone as well.
              if (status === 429) subscribed.delete(id);
            } else if (call === 1) {
              const isFull = uris.size >= MAX.subscriptions && !uris.has(uri);
              const isRefused = await Promise.resolve(
                info.addSubscription(id, uri),
              ).then(() => false, () => true);
              assertEquals(isRefused, isFull);
              if (!isFull) subscribed.set(id, uris.add(uri));
            } else if (call === 2) {
              await info.removeSubscription(id, uri);
              uris.delete(uri);
            } else {
              await info.delete(id);
              owners.delete(id);
              subscribed.delete(id);
            }
            const expected = [...subscribed].filter(([, all]) => all.has(uri));
            assertEquals(
              (await info.getSubscriptions(uri)).sort(),
              expected.map(([id]) => id).sort(),
            );
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Begins a session whose ID a transport has chosen; returns the status. */
async function begin(
  sessions: InMemorySessions,
  id: string,
  principal: string,
): Promise<number> {
  const request = new Request("http://localhost/mcp", { method: "POST" });
  const respond = () =>
    new Response(null, { headers: { "mcp-session-id": id } });
  const { status, body } = await sessions.guard(request, respond, {
    principal,
  });
  await body?.cancel();
  return status;
}

/** Leaves out headers that no request can have. */
function usable(headers: Readonly<Record<string, string>>): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      all.set(name, value);
    } catch {
      // Not a header.
    }
  }
  return all;
}
