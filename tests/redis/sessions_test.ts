import type { Sessions } from "@crossmcp/session-manager";
import {
  RedisInfoSessionManager,
  RedisSessions,
  type RedisSessionsOptions,
  RedisStreamSessionManager,
  RedisSubscriptionManager,
} from "@crossmcp/session-manager/redis";
import {
  testCluster,
  testInfoSessionManager,
  testSessions,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import { Buffer } from "node:buffer";
import { after, before, it } from "node:test";
import { type Clients, connect } from "./support/clients.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

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

/**
 * A server, and the clients of one application; all nodes of a group use them.
 */
function application(): { clients: Clients; server: RedisServer } {
  const made = {} as { clients: Clients; server: RedisServer };
  before(async () => {
    made.server = await RedisServer.start();
    made.clients = await connect(made.server);
  });
  after(async () => {
    await made.clients?.[Symbol.asyncDispose]();
    await made.server?.[Symbol.asyncDispose]();
  });
  return made;
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
    // Redis takes 20 seconds on every runtime, and more on a busy machine.
    supports: { I10: "Deno" in globalThis },
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

describeRedis("RedisSessions as a cluster", () => {
  const app = application();
  const proxies = new Map<unknown, TcpProxy>();
  const connections: AsyncDisposable[] = [];
  after(async () => {
    for (const each of connections) await each[Symbol.asyncDispose]();
    for (const each of proxies.values()) await each[Symbol.asyncDispose]();
  });
  testCluster({
    test: it,
    skip: it.skip,
    createNode: async (name, options) => {
      // Connections of its own, which can become silent.
      const proxy = await TcpProxy.start(app.server.port);
      const clients = await connect(proxy);
      connections.push(clients);
      const node = new RedisSessions(clients, {
        ...options,
        cluster: { ...cluster, ...options.cluster },
        prefix: prefixOf(name),
      });
      proxies.set(node, proxy);
      return node;
    },
    kill: (node) => proxies.get(node)!.silence(),
  });
});

/** The names of clusters have characters that a prefix may not have. */
function prefixOf(name: string): string {
  return Buffer.from(name).toString("hex");
}

function dispose(manager: unknown): Promise<void> {
  return Promise.resolve((manager as AsyncDisposable)[Symbol.asyncDispose]());
}
