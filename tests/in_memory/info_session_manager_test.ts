import {
  type ClientInfo,
  ClosedError,
  InMemoryInfoSessionManager,
  InvalidArgumentError,
  SessionNotFoundError,
} from "@crossmcp/session-manager";
import { testInfoSessionManager } from "@crossmcp/session-manager/testing";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "node:test";

describe("InMemoryInfoSessionManager", () => {
  testInfoSessionManager({
    test: it,
    create: (limits) => new InMemoryInfoSessionManager(limits),
    dispose: (manager) => (manager as InMemoryInfoSessionManager).close(),
  });

  it("refuses ids that cannot be one", async () => {
    const manager = new InMemoryInfoSessionManager();
    for (const id of ["", "x".repeat(257), "a b", "caf\u00e9", 7, undefined]) {
      for (
        const write of [
          async () => await manager.setClientInfo(id as string, client()),
          async () => await manager.setClientCapabilities(id as string, {}),
          async () => await manager.setLogLevel(id as string, "info"),
          async () => await manager.addSubscription(id as string, "file:///a"),
        ]
      ) await assertRejects(write, InvalidArgumentError, "session id");
      await manager.removeSubscription(id as string, "file:///a");
      await manager.delete(id as string);
    }
    assertEquals(await manager.getSubscriptions("file:///a"), []);
  });

  it("refuses values that JSON cannot express and keeps the stored ones", async () => {
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
        "an object that JSON can express",
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
      "URI",
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

  it("rejects, and never throws, for ids that are no strings", async () => {
    const manager = new InMemoryInfoSessionManager();
    for (const id of [1n, undefined, {}, Symbol("id")] as unknown[]) {
      const asked = manager.getLogLevel(id as string);
      await assertRejects(() => asked, SessionNotFoundError);
    }
  });

  it("reports a refused write nobody waits for, and rejects quietly", async () => {
    const errors: Error[] = [];
    const manager = new InMemoryInfoSessionManager({
      onError: (error) => errors.push(error),
    });
    // As a transport does it: an unhandled rejection would fail this test run.
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

  it("forgets everything on close and refuses later writes", async () => {
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
