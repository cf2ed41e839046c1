import { describe } from "node:test";
import { engines } from "./serve.ts";
import { startWorkers } from "./workers.ts";
import { testListen } from "./workers_listen_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a front, subscriptions/listen, on ${engine}`, () => {
    testListen(() => startWorkers(engine));
  });
}
