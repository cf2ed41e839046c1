import { describeRedis } from "../redis/redis_server.ts";
import { startRedisWorkers } from "./redis_workers.ts";
import { engines } from "./serve.ts";
import { testSse } from "./workers_sse_suite.ts";

for (const engine of engines) {
  describeRedis(
    `Two processes over Redis behind a front, HTTP with SSE, on ${engine}`,
    () => testSse(() => startRedisWorkers(engine)),
  );
}
