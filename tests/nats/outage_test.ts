import { InvalidArgumentError } from "@crossmcp/session-manager";
import { NatsSessions } from "@crossmcp/session-manager/nats";
import type { NatsConnection } from "@nats-io/nats-core";
import { assertEquals, assertThrows } from "@std/assert";
import { after, before, it } from "node:test";
import { testOutages } from "../support/broker_outages.ts";
import { connectTo, describeNats, NatsServer } from "./support/nats_server.ts";

describeNats("NatsSessions: outages", () => {
  let server: NatsServer;
  const connections: NatsConnection[] = [];
  before(async () => {
    server = await NatsServer.start();
  });
  after(async () => {
    await server?.kill();
    await Promise.all(connections.map((connection) => connection.close()));
  });

  testOutages({
    server: () => server,
    create: async (name, options) => {
      const connection = await connectTo(server.port);
      connections.push(connection);
      return new NatsSessions(name, connection, options);
    },
  });

  it("C16 leaves nothing in a connection that it shares", async () => {
    const connection = await connectTo(server.port);
    connections.push(connection);
    for (let count = 0; count < 3; count++) {
      const node = new NatsSessions("shared", connection);
      await node.ready;
      await node.close();
    }
    const { subscriptions } = (connection as unknown as {
      protocol: { subscriptions: { size(): number } };
    }).protocol;
    assertEquals(subscriptions.size(), 0);
    await connection.flush();
  });

  it("refuses what is no connection by its name", () => {
    for (const connection of [undefined, null, "localhost:4222", {}]) {
      const { argument } = assertThrows(
        () => new NatsSessions("name", connection as never),
        InvalidArgumentError,
      );
      assertEquals(argument, "connection");
    }
  });
});
