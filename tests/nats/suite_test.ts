import {
  NatsBus,
  NatsSessions,
  type NatsSessionsOptions,
} from "@crossmcp/session-manager/nats";
import { testCluster, testSessions } from "@crossmcp/session-manager/testing";
import type { NatsConnection } from "@nats-io/nats-core";
import { after, before, it } from "node:test";
import { connectTo, describeNats, NatsServer } from "./support/nats_server.ts";

describeNats("NatsSessions: contract suites", () => {
  let server: NatsServer;
  /** Shared by all nodes that are not killed. */
  let connection: NatsConnection;
  const own = new Map<unknown, NatsConnection>();

  before(async () => {
    server = await NatsServer.start();
    connection = await connectTo(server.port);
  });
  after(async () => {
    for (const each of [...own.values(), connection]) await each?.close();
    await server?.kill();
  });

  testCluster({
    test: it,
    createBus: (name) => new NatsBus(name, connection),
    createNode: async (name, options) => {
      const connection = await connectTo(server.port);
      const node = new NatsSessions(name, connection, options);
      own.set(node, connection);
      return node;
    },
    kill: (node) => own.get(node)!.close(),
  });

  const names = new Map<unknown, string>();
  const create = async (name: string, options: NatsSessionsOptions) => {
    const cluster = { heartbeatMs: 200 };
    const node = new NatsSessions(name, connection, { ...options, cluster });
    names.set(node, name);
    await node.ready;
    return node;
  };
  testSessions({
    test: it,
    create: (options) => create(crypto.randomUUID(), options),
    createNode: (beside, options) => create(names.get(beside)!, options),
  });
});
