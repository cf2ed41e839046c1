import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import type { RedisPublisher } from "@crossmcp/session-manager/redis";
import { adaptPublisher } from "../../src/redis/clients/node_redis.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until, within } from "../e2e/support/until.ts";
import { makeClient } from "./support/clients.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const KEYS = ["a", "b", "c", "d", "e"];

describeRedis(
  "node-redis: commands of the turn in which the connection is lost",
  () => {
    let server: RedisServer;
    before(async () => {
      server = await RedisServer.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    for (
      const kind of [
        "node-redis 5, RESP2",
        "node-redis 5, RESP3",
        "node-redis 6, RESP3",
      ] as const
    ) {
      it(`R6 R8 get no reply of another command, with ${kind}`, async () => {
        await using proxy = await TcpProxy.start(server.port);
        await using made = makeClient(proxy, kind);
        await made.connected;
        const client = made.client as unknown as RedisPublisher & {
          isReady: boolean;
        };
        const publisher = adaptPublisher(client);
        const stop = publisher.listen({});
        for (const key of KEYS) await publisher.send(["SET", key, key]);
        const get = (key: string) =>
          publisher.send(["GET", key]).then(
            (value) => assertEquals(value, key),
            (error: Error) => {
              if (/^ERR|equal/.test(error.message)) throw error;
            },
          );
        for (let round = 0; round < 5; round++) {
          const gets = await new Promise<Promise<void>[]>((resolve) =>
            // The client notices it between two parts of this turn.
            setTimeout(() => {
              proxy.reset();
              resolve(KEYS.slice(round).map(get));
            })
          );
          await within(Promise.all(gets), "the replies", PATIENCE_MS);
          await until(
            () => client.isReady,
            "the client to be connected again",
            PATIENCE_MS,
          );
          assertEquals(await publisher.send(["GET", "a"]), "a");
        }
        stop();
      });
    }
  },
);
