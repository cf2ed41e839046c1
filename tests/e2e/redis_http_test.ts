import { describeRedis } from "../redis/redis_server.ts";
import { startRedisWorkers } from "./redis_workers.ts";
import { engines } from "./serve.ts";
import { testHttp } from "./workers_http_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a front, Streamable HTTP, on ${engine}`,
    () => testHttp(() => startRedisWorkers(engine)),
  );
}
