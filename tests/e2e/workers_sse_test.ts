import { describe } from "node:test";
import { engines } from "./support/serve.ts";
import { startWorkers } from "./support/workers.ts";
import { testSse } from "./support/workers_sse_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a load balancer, HTTP with SSE, on ${engine}`, () => {
    testSse(() => startWorkers(engine));
  });
}
