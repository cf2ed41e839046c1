import { RedisInfoSessionManager } from "@crossmcp/session-manager/redis";
import { testInfoSessionManager } from "@crossmcp/session-manager/testing";
import { it } from "node:test";
import { application } from "./support/application.ts";
import { describeRedis } from "./support/redis_server.ts";

describeRedis("RedisInfoSessionManager, with many subscriptions", () => {
  const app = application();
  testInfoSessionManager({
    test: (name, run) => {
      if (name.startsWith("I10 ")) it(name, run);
    },
    timeoutMs: 20_000,
    create: async (limits) => {
      const manager = new RedisInfoSessionManager(app.clients, {
        ...limits,
        prefix: crypto.randomUUID(),
      });
      await manager.ready;
      return manager;
    },
    dispose: (manager) => (manager as RedisInfoSessionManager).close(),
  });
});
