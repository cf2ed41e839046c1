import { describe } from "node:test";
import { engines } from "./support/serve.ts";
import { startWorkers } from "./support/workers.ts";
import { testListen } from "./support/workers_listen_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a load balancer, subscriptions/listen, on ${engine}`, () => {
    testListen(() => startWorkers(engine));
  });
}
