import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { connectModern, whoAmI } from "./clients.ts";
import { NEWS, WEATHER } from "./server.ts";
import { within } from "./until.ts";
import type { Workers } from "./workers.ts";
import { countNotifications, waitForNotifications } from "./workers_clients.ts";
import { roundRobinNetwork } from "./workers_network.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const PROMPTS_CHANGED = "notifications/prompts/list_changed";
const UPDATED = "notifications/resources/updated";

/**
 * Tests the per-request era, with workers behind a load balancer without sticky
 * sessions.
 *
 * @param start Starts the workers.
 */
export function testListen(start: () => Promise<Workers>): void {
  let workers: Workers;
  let workerCount = 0;
  before(async () => {
    workers = await start();
    workerCount = workers.alive.length;
  });
  after(() => workers?.close());

  it("C15 subscribers on all workers receive matching notifications of every worker once", async () => {
    const listeners = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const listener = await connect();
        await listener.client.listen(
          index % 2 === 0
            ? { toolsListChanged: true, resourceSubscriptions: [NEWS] }
            : { promptsListChanged: true, resourceSubscriptions: [WEATHER] },
        );
        return listener;
      }),
    );
    try {
      for (let round = 0; round < 2; round++) {
        for (const worker of workers.alive) {
          await worker.call("renameTools");
          await worker.call("print", NEWS);
          await worker.call("renamePrompts");
          await worker.call("print", WEATHER);
        }
        await waitForNotifications(listeners, 2 * workerCount * (round + 1));
      }
      const [even, odd] = [[TOOLS_CHANGED, NEWS], [PROMPTS_CHANGED, WEATHER]];
      for (const [index, listener] of listeners.entries()) {
        const [method, uri] = index % 2 === 0 ? even! : odd!;
        assertEquals(countNotifications(listener), {
          [method!]: 2 * workerCount,
          [`${UPDATED} ${uri}`]: 2 * workerCount,
        });
      }
      const owners = listeners.map(({ network }) =>
        network.exchanges.at(-1)?.worker
      );
      assertEquals(
        new Set(owners).size,
        workerCount,
        `The subscriptions are on workers ${owners}.`,
      );
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
    }
  });

  it("C15 a subscriber that cancels receives nothing more from any worker", async () => {
    await using alice = await connect();
    await using bob = await connect();
    const tools = await alice.client.listen({ toolsListChanged: true });
    await alice.client.listen({ promptsListChanged: true });
    await bob.client.listen({ toolsListChanged: true });
    await tools.close();
    assertEquals(
      await within(tools.closed, "the subscription to end"),
      "local",
    );
    for (const worker of workers.alive) {
      await worker.call("renameTools");
      await worker.call("renamePrompts");
    }
    await waitForNotifications([alice, bob], workerCount);
    assertEquals(countNotifications(alice), { [PROMPTS_CHANGED]: workerCount });
    assertEquals(countNotifications(bob), { [TOOLS_CHANGED]: workerCount });
  });

  it("every worker answers requests of the per-request era", async () => {
    await using alice = await connect();
    for (let request = 0; request < workerCount; request++) {
      assert(await whoAmI(alice.client) !== undefined);
      const { resources } = await alice.client.listResources();
      assertEquals(resources.length, 2);
    }
    const { exchanges } = alice.network;
    assertEquals(
      new Set(exchanges.map(({ worker }) => worker)).size,
      workerCount,
    );
    assertEquals(exchanges.filter(({ status }) => status >= 300), []);
  });

  async function connect() {
    const network = roundRobinNetwork();
    const { fetch } = network;
    const connected = await connectModern(workers.httpUrl, { fetch });
    return { ...connected, network };
  }
}
