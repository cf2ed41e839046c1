import { describeRedis } from "../redis/support/redis_server.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { engines } from "./support/serve.ts";
import { testHttp } from "./support/workers_http_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a load balancer, Streamable HTTP, on ${engine}`,
    () => testHttp(() => startRedisWorkers(engine)),
  );
}
