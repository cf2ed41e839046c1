import { describe } from "node:test";
import { engines } from "./serve.ts";
import { startWorkers } from "./workers.ts";
import { testSse } from "./workers_sse_suite.ts";

for (const engine of engines) {
  describe(`Four workers behind a front, HTTP with SSE, on ${engine}`, () => {
    testSse(() => startWorkers(engine));
  });
}
