import {
  type ClientInfo,
  ClosedError,
  InMemoryInfoSessionManager,
  InvalidArgumentError,
  SessionLimitError,
  SessionNotFoundError,
} from "@crossmcp/session-manager";
import { testInfoSessionManager } from "@crossmcp/session-manager/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

describe("InMemoryInfoSessionManager", () => {
  testInfoSessionManager({
    test: it,
    create: (limits) => new InMemoryInfoSessionManager(limits),
    dispose: (manager) => (manager as InMemoryInfoSessionManager).close(),
  });

  it("rejects invalid session IDs", async () => {
    const manager = new InMemoryInfoSessionManager();
    for (const id of ["", "x".repeat(257), "a b", "caf\u00e9", 7, undefined]) {
      for (
        const write of [
          async () => await manager.setClientInfo(id as string, client()),
          async () => await manager.setClientCapabilities(id as string, {}),
          async () => await manager.setLogLevel(id as string, "info"),
          async () => await manager.addSubscription(id as string, "file:///a"),
        ]
      ) await assertRejects(write, InvalidArgumentError, "session ID");
      await manager.removeSubscription(id as string, "file:///a");
      await manager.delete(id as string);
    }
    assertEquals(await manager.getSubscriptions("file:///a"), []);
  });

  it("rejects values that JSON cannot express and keeps the stored ones", async () => {
    const manager = new InMemoryInfoSessionManager();
    await manager.setClientInfo("a", client());
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (
      const value of [null, "name", 7, [], () => {}, { big: 1n }, circular]
    ) {
      const error = await assertRejects(
        async () =>
          await manager.setClientInfo("a", value as unknown as ClientInfo),
        InvalidArgumentError,
        "serializable as JSON",
      );
      assertEquals(error.argument, "info");
      await assertRejects(
        async () => await manager.setClientCapabilities("a", value as never),
        InvalidArgumentError,
      );
    }
    await assertRejects(
      async () => await manager.addSubscription("a", 7 as unknown as string),
      InvalidArgumentError,
      '"uri" must be a string',
    );
    assertEquals(await manager.getClientInfo("a"), client());
  });

  it("removes a field that is set to undefined", async () => {
    const manager = new InMemoryInfoSessionManager();
    await manager.setClientInfo("a", client());
    await manager.setLogLevel("a", "info");
    await manager.setClientInfo("a", undefined);
    const error = await assertRejects(
      () => manager.getClientInfo("a"),
      SessionNotFoundError,
      "client info",
    );
    assertEquals(error.code, "ERR_SESSION_NOT_FOUND");
    assertEquals(error.sessionId, "a");
    assertEquals(await manager.getLogLevel("a"), "info");
  });

  it("returns a rejected promise for IDs that are not strings", async () => {
    const manager = new InMemoryInfoSessionManager();
    for (const id of [1n, undefined, {}, Symbol("id")] as unknown[]) {
      const result = manager.getLogLevel(id as string);
      await assertRejects(() => result, SessionNotFoundError);
    }
  });

  it("reports a failed write to onError even if it is not awaited", async () => {
    const errors: Error[] = [];
    const manager = new InMemoryInfoSessionManager({
      onError: (error) => errors.push(error),
    });
    // Transports don't await these calls. An unhandled rejection would fail the
    // test run.
    manager.setLogLevel("a", "loud" as never);
    manager.addSubscription("not an id", "file:///a");
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(errors.map(({ name }) => name), [
      "InvalidArgumentError",
      "InvalidArgumentError",
    ]);
    assertStringIncludes(
      errors[0]!.message,
      "debug, info, notice, warning, error, critical, alert, emergency",
    );
  });

  it("rejects options that are out of range and names them", () => {
    const invalid: Record<string, readonly unknown[]> = {
      "options": [null, 7, "x"],
      "idleTimeoutMs": [0, -1, NaN, "3", null, false],
      "maxSessions": [0, -1, 1.5, NaN, "3", null],
      "onError": ["log", {}, null],
    };
    for (const [argument, values] of Object.entries(invalid)) {
      for (const value of values) {
        const options = argument === "options" ? value : { [argument]: value };
        const error = assertThrows(
          () => new InMemoryInfoSessionManager(options as never),
          InvalidArgumentError,
          `"${argument}" must be`,
        );
        assertEquals(error.argument, argument);
      }
    }
    new InMemoryInfoSessionManager({
      idleTimeoutMs: Infinity,
      maxSessions: Infinity,
    });
  });

  it("I8 does not expire sessions with an open stream", async () => {
    const open = new Set(["open", "unknown"]);
    const errors: Error[] = [];
    const manager = new InMemoryInfoSessionManager({
      idleTimeoutMs: 60,
      streams: {
        has: (id) => {
          if (id === "unknown") throw new Error("lookup failed");
          return Promise.resolve(open.has(id));
        },
      },
      onError: (error) => errors.push(error),
    });
    const uri = "file:///a";
    for (const id of ["open", "closed", "unknown"]) {
      await manager.addSubscription(id, uri);
    }
    assertEquals(manager.expired, 0);
    await waitUntil(() => manager.expired === 1);
    assertEquals(await manager.getSubscriptions(uri), ["open", "unknown"]);
    assertEquals(errors[0]?.message, "lookup failed");
    open.delete("open");
    await waitUntil(() => manager.expired === 2);
    assertEquals(await manager.getSubscriptions(uri), ["unknown"]);
    await manager.close();
  });

  it("keeps the registration of a session until it is deleted", async () => {
    const manager = new InMemoryInfoSessionManager({ maxSessions: 2 });
    const registry = sessionRegistryOf(manager);
    const alice = { principal: "alice", startEventId: "1" };
    const anonymous = { principal: undefined, startEventId: undefined };
    assertEquals(registry.registration("a"), undefined);
    assertEquals(registry.register("a", alice), true);
    assertEquals(
      registry.register("a", { principal: "alice", startEventId: "2" }),
      true,
    );
    assertEquals(
      registry.register("a", { principal: "bob", startEventId: "3" }),
      false,
    );
    assertEquals(registry.register("a", anonymous), false);
    assertEquals(registry.registration("a"), alice);
    // Removing the client's metadata doesn't remove the registration.
    await manager.setClientInfo("a", client());
    await manager.setClientInfo("a", undefined);
    assertEquals(registry.registration("a"), alice);
    await manager.setLogLevel("b", "info");
    assertEquals(registry.registration("b"), undefined);
    assertEquals(registry.register("b", anonymous), true);
    assertThrows(() => registry.register("c", anonymous), SessionLimitError);
    for (const id of ["", "a b"]) {
      assertThrows(
        () => registry.register(id, anonymous),
        InvalidArgumentError,
      );
    }
    await manager.delete("a");
    assertEquals(registry.registration("a"), undefined);
    assertEquals(
      registry.register("a", { principal: "bob", startEventId: "3" }),
      true,
    );
    await manager.close();
    assertEquals(registry.registration("a"), undefined);
    assertThrows(() => registry.register("a", anonymous), ClosedError);
  });

  it("I8 reading a registration does not extend the session's lifetime", async () => {
    const manager = new InMemoryInfoSessionManager({ idleTimeoutMs: 60 });
    const registry = sessionRegistryOf(manager);
    for (const id of ["read", "touched"]) {
      registry.register(id, { principal: undefined, startEventId: undefined });
    }
    await waitUntil(() => {
      registry.registration("read");
      registry.touch("touched");
      registry.touch("unknown");
      return manager.expired > 0;
    });
    assertEquals(registry.registration("read"), undefined);
    assertEquals(registry.registration("unknown"), undefined);
    await manager.close();
  });

  it("deletes everything on close and rejects later writes", async () => {
    const errors: Error[] = [];
    const manager = new InMemoryInfoSessionManager({
      onError: (error) => errors.push(error),
    });
    await manager.setLogLevel("a", "info");
    await manager.addSubscription("a", "file:///a");
    await manager.close();
    await manager[Symbol.asyncDispose]();
    await assertRejects(() => manager.getLogLevel("a"), SessionNotFoundError);
    assertEquals(await manager.getSubscriptions("file:///a"), []);
    await assertRejects(
      async () => await manager.setLogLevel("a", "info"),
      ClosedError,
    );
    assertInstanceOf(errors[0], ClosedError);
    await manager.delete("a");
  });
});

function client(): ClientInfo {
  return { name: "client", version: "1.0.0" };
}

/** Waits until a condition is true. Fails after about 2.5 seconds. */
async function waitUntil(condition: () => boolean): Promise<void> {
  for (let attempts = 500; !condition(); attempts--) {
    assert(attempts > 0, "The condition did not become true in time.");
    await delay(5);
  }
}
