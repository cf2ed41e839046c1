import { describeRedis } from "../redis/support/redis_server.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { engines } from "./support/serve.ts";
import { testSse } from "./support/workers_sse_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a load balancer, HTTP with SSE, on ${engine}`,
    () => testSse(() => startRedisWorkers(engine)),
  );
}
