import { RedisSessions } from "@crossmcp/session-manager/redis";
import { testCluster } from "@crossmcp/session-manager/testing";
import { Buffer } from "node:buffer";
import { after, it } from "node:test";
import { application } from "./support/application.ts";
import { connect } from "./support/clients.ts";
import { describeRedis } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const cluster = { heartbeatMs: 200 };

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
