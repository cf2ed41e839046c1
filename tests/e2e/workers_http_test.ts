import { describe } from "node:test";
import { engines } from "./serve.ts";
import { startWorkers } from "./workers.ts";
import { testHttp } from "./workers_http_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a front, Streamable HTTP, on ${engine}`, () => {
    testHttp(() => startWorkers(engine));
  });
}
