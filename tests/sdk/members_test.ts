import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/types"
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { connectHttp } from "../e2e/support/clients.ts";
import { until } from "../e2e/support/until.ts";
import { describeRedis } from "../redis/support/redis_server.ts";
import { resultOf } from "./support/handled.ts";
import {
  type Members,
  MEMBERS_URL,
  startProcesses,
  startWorkers,
} from "./support/members.ts";
import { SDKS } from "./support/servers.ts";

const NUMBERS = Array.from({ length: 20 }, (_, index) => index);
/** The servers of this test cannot be asked. */
const ANY_STREAM = { has: () => true };

function connect(members: Members) {
  return connectHttp(MEMBERS_URL, ANY_STREAM, {
    fetch: members.fetch,
    reconnect: true,
    capabilities: { elicitation: {} },
  });
}

type Alice = Awaited<ReturnType<typeof connect>>;

/** Uses everything that crosses nodes. */
async function assertServed({ client, notifications, sessionId }: Alice) {
  client.setRequestHandler(
    ElicitRequestSchema,
    () => ({ action: "accept", content: { name: "Alice" } }),
  );
  const who = resultOf(await client.callTool({ name: "who-am-i" }));
  assertEquals((who as { sessionId: string }).sessionId, sessionId);
  assertEquals((who as { client: string }).client, "alice");
  assertEquals(resultOf(await client.callTool({ name: "ask" })), "Alice");
  const received = notifications as unknown[];
  received.length = 0;
  await client.callTool({ name: "count" });
  assertEquals(notifications.map(({ params }) => params?.data), NUMBERS);
  await client.callTool({ name: "change" });
  await until(() => notifications.length === 21, "the server's own", 15_000);
}

for (const sdk of SDKS) {
  describe(`The official SDK ${sdk.name}, on workers`, () => {
    it("K2 K3 four workers, of which two are killed", async () => {
      await using members = await startWorkers(sdk.name, 4);
      await using alice = await connect(members);
      for (let round = 0; round < 4; round++) await assertServed(alice);
      for (let kills = 0; kills < 2; kills++) {
        await members.kill(await members.host());
        await assertServed(alice);
        await assertServed(alice);
      }
    });
  });

  describeRedis(`The official SDK ${sdk.name}, over Redis`, () => {
    it("K2 K3 three processes: one is killed, one drains, and Redis is restarted empty", async () => {
      await using members = await startProcesses(sdk.name, 3);
      await using alice = await connect(members);
      for (let round = 0; round < 3; round++) await assertServed(alice);

      await members.kill(await members.host());
      await assertServed(alice);

      await members.redis!.kill();
      await members.redis!.restart();
      await until(
        async () => {
          try {
            const tool = { name: "who-am-i" };
            await alice.client.callTool(tool, undefined, { timeout: 5_000 });
            return true;
          } catch {
            return false;
          }
        },
        "the session to be served again",
        20_000,
      );
      await assertServed(alice);

      const host = await members.host();
      const waiting = alice.client.callTool({ name: "wait" });
      await until(
        async () => (await host.run({ kind: "state" })).waiting === 1,
        "the call to run",
      );
      const drained = host.run({ kind: "drain", ms: 10_000 });
      members.remove(host);
      await assertServed(alice);
      await host.run({ kind: "release" });
      assertEquals(resultOf(await waiting), "waited");
      assertEquals((await drained).open, 0);
      const last = await members.host();
      const { rebuilt } = await last.run({ kind: "state" });
      assert(rebuilt > 0, "The session was not handed over.");
    });
  });
}
