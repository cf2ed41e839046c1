import * as crossmcp from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import * as tmcp from "@tmcp/session-manager";
import { describe, it } from "node:test";
import { EXPECTED, runBasicScenario } from "./support/basic_scenario.ts";
import { engines } from "./support/serve.ts";

const packages = {
  "@tmcp/session-manager": tmcp,
  "@crossmcp/session-manager": crossmcp,
};

for (const engine of engines) {
  describe(`Drop-in, on ${engine}`, () => {
    for (const [name, sessionManager] of Object.entries(packages)) {
      it(`runs the basic scenario with ${name}`, async () => {
        const {
          InMemoryInfoSessionManager,
          InMemoryStreamSessionManager,
          InMemorySubscriptionManager,
        } = sessionManager;
        const seen = await runBasicScenario(engine, () => ({
          streams: new InMemoryStreamSessionManager(),
          info: new InMemoryInfoSessionManager(),
          subscriptions: new InMemorySubscriptionManager(),
        }));
        assertEquals(seen, EXPECTED);
      });
    }
  });
}

it("exports every runtime name of @tmcp/session-manager", () => {
  const missing = Object.keys(tmcp).filter((name) => !(name in crossmcp));
  assertEquals(missing, []);
});
