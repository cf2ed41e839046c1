import { describe } from "node:test";
import { engines } from "./support/serve.ts";
import { startWorkers } from "./support/workers.ts";
import { testHttp } from "./support/workers_http_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a load balancer, Streamable HTTP, on ${engine}`, () => {
    testHttp(() => startWorkers(engine));
  });
}
