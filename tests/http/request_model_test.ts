import {
  InMemorySessions,
  type RefusalReason,
} from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";

const MAX_SESSIONS = 3;
const MAX_BODY = 300;

const BODIES = {
  initialize: { jsonrpc: "2.0", id: 1, method: "initialize", params: {} },
  ping: { jsonrpc: "2.0", id: 2, method: "ping" },
  notification: { jsonrpc: "2.0", method: "notifications/initialized" },
  garbage: 7,
  long: { jsonrpc: "2.0", id: 3, method: "ping", params: "x".repeat(MAX_BODY) },
};

type Body = keyof typeof BODIES;

interface Attempt {
  readonly method: "GET" | "POST" | "DELETE";
  readonly principal: string | undefined;
  /** A session that has begun, counted from the first one, or another ID. */
  readonly target: number | "unknown" | "a b" | undefined;
  readonly body: Body;
  readonly lastEventId: string | undefined;
}

const attempt: fc.Arbitrary<Attempt> = fc.record({
  method: fc.constantFrom("GET", "POST", "POST", "DELETE"),
  principal: fc.constantFrom("alice", "bob", undefined),
  target: fc.oneof(
    { weight: 4, arbitrary: fc.nat(6) },
    { weight: 3, arbitrary: fc.constantFrom("unknown", "a b", undefined) },
  ),
  body: fc.constantFrom(
    ...Object.keys(BODIES) as Body[],
    "initialize" as const,
    "initialize" as const,
  ),
  lastEventId: fc.constantFrom(undefined, "x", "0123456789abcdef-1"),
});

/** What a response should be: its status, and why it is a refusal. */
type Expected = readonly [status: number, refusal?: RefusalReason];

/** The sessions that there should be. */
class Model {
  readonly begun: string[] = [];
  readonly sessions: Map<string, string | undefined> = new Map();
  readonly streams: Set<string> = new Set();

  idOf(target: Attempt["target"]): string | undefined {
    return typeof target === "number" ? this.begun[target] : target;
  }

  expected(given: Attempt): Expected {
    const { method, principal, target, body } = given;
    const id = this.idOf(target);
    if (id === "a b") return [400, "invalidSession"];
    if (method === "POST" && body === "long") return [413, "tooLarge"];
    if (id === undefined) return this.#withoutSession(given);
    const isOwn = this.sessions.has(id) && this.sessions.get(id) === principal;
    if (!isOwn) {
      return method === "POST" && body === "initialize"
        ? this.#withoutSession(given)
        : [404, "unknownSession"];
    }
    if (method === "GET") this.streams.add(id);
    if (method === "DELETE") {
      this.sessions.delete(id);
      this.streams.delete(id);
    }
    return [method === "POST" ? statusOf(body) : 200];
  }

  /** Records a session that has begun. */
  begin(id: string, principal: string | undefined): void {
    this.begun.push(id);
    this.sessions.set(id, principal);
  }

  #withoutSession({ method, principal, body }: Attempt): Expected {
    if (method === "GET") return [400, "missingSession"];
    if (method === "DELETE") return [200];
    const isNew = body === "initialize" || body === "ping";
    const own = [...this.sessions.values()].filter((it) => it === principal);
    const isFull = principal !== undefined && own.length >= MAX_SESSIONS;
    return isNew && isFull ? [429, "tooManySessions"] : [statusOf(body)];
  }
}

/** How the transport answers a POST request. */
function statusOf(body: Body): number {
  return {
    initialize: 200,
    ping: 200,
    notification: 202,
    garbage: 400,
    long: 0,
  }[
    body
  ];
}

describe("random requests", () => {
  it("L5 L9 H1 H2 H3 H5 H8 H9 H11 responses and sessions are those of a model", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(attempt, { minLength: 10, maxLength: 60 }),
        async (attempts) => {
          const refusals: unknown[] = [];
          await using sessions = new InMemorySessions({
            streams: { replay: {} },
            info: { maxSessionsPerPrincipal: MAX_SESSIONS },
            http: { maxBodyBytes: MAX_BODY, maxNewSessionsPerSecond: Infinity },
            onRefuse: (reason) => refusals.push(reason),
          });
          const model = new Model();
          for (const given of attempts) {
            const { method, principal, target, body, lastEventId } = given;
            const id = model.idOf(target) ?? "";
            const response = await new TestClient(sessions, { id, principal })
              .request(
                method,
                lastEventId === undefined
                  ? {}
                  : { "last-event-id": lastEventId },
                method === "POST" ? BODIES[body] : undefined,
              );
            const before = model.sessions.has(id);
            const [status, refusal] = model.expected(given);
            assertEquals(response.status, status);
            assertEquals(refusals.splice(0), refusal ? [refusal] : []);
            const assigned = response.headers.get("mcp-session-id");
            const isNew = method === "POST" && response.ok && assigned !== null;
            if (isNew && !(before && assigned === id)) {
              model.begin(assigned, principal);
            }
            if (method !== "GET") await response.body?.cancel();
            const stored = new Map<string, string | undefined>();
            for await (const { id, principal } of sessions.list()) {
              stored.set(id, principal);
            }
            assertEquals(stored, model.sessions);
            assertEquals(sessions.stats().attached, model.streams.size);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
