import { describeRedis } from "../redis/support/redis_server.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { engines } from "./support/serve.ts";
import { testListen } from "./support/workers_listen_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a load balancer, subscriptions/listen, on ${engine}`,
    () => testListen(() => startRedisWorkers(engine)),
  );
}
