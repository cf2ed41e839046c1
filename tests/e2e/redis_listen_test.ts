import { describeRedis } from "../redis/redis_server.ts";
import { startRedisWorkers } from "./redis_workers.ts";
import { engines } from "./serve.ts";
import { testListen } from "./workers_listen_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a front, subscriptions/listen, on ${engine}`,
    () => testListen(() => startRedisWorkers(engine)),
  );
}
