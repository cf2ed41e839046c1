import { InMemorySessions } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { within } from "../e2e/support/until.ts";

// On all three runtimes, an unhandled rejection fails the test.

const CODES = [
  "ERR_INVALID_ARGUMENT",
  "ERR_SESSION_NOT_FOUND",
  "ERR_SESSION_LIMIT",
  "ERR_LIMIT",
  "ERR_CLOSED",
  "ERR_DELIVERY",
];
/** Methods that end everything come last. */
const LAST = ["close", "drain"];

/** Values that a method may expect, or not. */
const argument = fc.oneof(
  fc.constantFrom<unknown>("a", "b", "__proto__", "file:///a", "info", 1, ""),
  fc.constantFrom<unknown>(
    { principal: "a" },
    { session: "a" },
    { sessions: ["a", "b"] },
    { name: "client", version: "1" },
    { limit: 1 },
    { drainMs: 1 },
    { id: "a", origin: "o", filters: { toolsListChanged: true } },
    { method: "notifications/tools/list_changed" },
    { jsonrpc: "2.0", method: "notifications/resources/updated", params: {} },
    { acknowledge() {}, send() {}, close() {} },
    () => new Response(null, { headers: { "mcp-session-id": "a" } }),
  ),
  fc.anything({ maxDepth: 2, withNullPrototype: true }),
);

describe("random arguments", () => {
  it("L2 L3 L4 every method of every object returns, or throws an error of this package", async () => {
    const called = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.nat(), fc.array(argument, { maxLength: 3 })),
          { minLength: 20, maxLength: 60 },
        ),
        async (calls) => {
          const errors: unknown[] = [];
          const sessions = new InMemorySessions({
            streams: { replay: {} },
            onError: (error) => errors.push(error),
          });
          const honest = await TestClient.begin(sessions);
          const methods = methodsOf(sessions);
          for (const [at, args] of calls) {
            const [name, call] = methods[at % methods.length]!;
            called.add(name);
            try {
              await within(settle(call(args)), `the result of ${name}`);
            } catch (error) {
              errors.push(error);
            }
          }
          // No random argument has named this session.
          assertEquals(await honest.ping(), 200);
          await sessions.close();
          for (const [name, call] of methods) {
            try {
              await within(settle(call([])), `${name}, after close`);
            } catch (error) {
              errors.push(error);
            }
          }
          for (const error of errors as { code?: string }[]) {
            assert(CODES.includes(error?.code ?? ""), inspect(error));
          }
        },
      ),
      { numRuns: 150 },
    );
    for (
      const name of ["sessions.guard", "streams.send", "info.setData"].concat(
        "view.streams.create",
        "subscriptions.create",
      )
    ) assert(called.has(name), `${name} was not called.`);
  });
});

type Call = (args: readonly unknown[]) => unknown;

/** Returns all methods and getters of the sessions and their managers. */
function methodsOf(sessions: InMemorySessions): [name: string, call: Call][] {
  const view = sessions.forTransport("view");
  const objects: Record<string, object> = {
    sessions,
    streams: sessions.streams,
    info: sessions.info,
    subscriptions: sessions.subscriptions,
    "view.streams": view.streams,
  };
  return Object.entries(objects).flatMap(([object, value]) =>
    namesOf(value).map((name): [string, Call] => [
      `${object}.${name}`,
      (args) => {
        const member = (value as Record<string, unknown>)[name];
        return typeof member === "function"
          ? member.apply(value, args)
          : member;
      },
    ])
  );
}

/** Returns the members that a user can reach, except those of all objects. */
function namesOf(value: object): string[] {
  const names = new Set<string>();
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
  }
  return [...names].filter((name) =>
    name !== "constructor" && !LAST.includes(name)
  );
}

/** Waits for what a method returns. */
async function settle(returned: unknown): Promise<void> {
  const result = await returned as {
    body?: ReadableStream;
    next?: () => Promise<unknown>;
  } | undefined;
  if (result instanceof Response) await result.body?.cancel();
  else if (typeof result?.next === "function") await result.next();
  else if (typeof result === "function") (result as () => void)();
}

function inspect(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : `Thrown: ${typeof error}`;
}
