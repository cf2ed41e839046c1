import type { Sessions } from "@crossmcp/session-manager";
import {
  RedisInfoSessionManager,
  RedisSessions,
  type RedisSessionsOptions,
  RedisStreamSessionManager,
  RedisSubscriptionManager,
} from "@crossmcp/session-manager/redis";
import {
  testInfoSessionManager,
  testSessions,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import { it } from "node:test";
import { application } from "./support/application.ts";
import { describeRedis } from "./support/redis_server.ts";

const cluster = { heartbeatMs: 200 };

/**
 * Otherwise they would wait for it when they are asked about an unknown
 * session.
 */
async function ready<Node extends { ready: Promise<void> }>(
  node: Node,
): Promise<Node> {
  await node.ready;
  return node;
}

describeRedis("RedisStreamSessionManager", () => {
  const app = application();
  testStreamSessionManager({
    test: it,
    create: (limits) =>
      ready(
        new RedisStreamSessionManager(app.clients, {
          ...limits,
          prefix: crypto.randomUUID(),
          cluster,
        }),
      ),
    dispose,
  });
});

describeRedis("RedisInfoSessionManager", () => {
  const app = application();
  testInfoSessionManager({
    test: it,
    skip: it.skip,
    // cleanup_test.ts has it: Redis takes 20 seconds.
    supports: { I10: false },
    timeoutMs: 20_000,
    create: (limits) =>
      ready(
        new RedisInfoSessionManager(app.clients, {
          ...limits,
          prefix: crypto.randomUUID(),
          cluster,
        }),
      ),
    dispose,
  });
});

describeRedis("RedisSubscriptionManager", () => {
  const app = application();
  testSubscriptionManager({
    test: it,
    create: (limits) =>
      ready(
        new RedisSubscriptionManager(app.clients, {
          ...limits,
          prefix: crypto.randomUUID(),
          cluster,
        }),
      ),
    dispose,
  });
});

describeRedis("RedisSessions", () => {
  const app = application();
  const prefixes = new WeakMap<Sessions, string>();
  const make = (prefix: string, options: RedisSessionsOptions) => {
    const sessions = new RedisSessions(app.clients, {
      ...options,
      prefix,
      cluster,
    });
    prefixes.set(sessions, prefix);
    return ready(sessions);
  };
  testSessions({
    test: it,
    create: (options) => make(crypto.randomUUID(), options),
    createNode: (beside, options) => make(prefixes.get(beside)!, options),
  });
});

function dispose(manager: unknown): Promise<void> {
  return Promise.resolve((manager as AsyncDisposable)[Symbol.asyncDispose]());
}
