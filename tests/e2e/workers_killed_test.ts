import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectModern } from "./support/clients.ts";
import { engines } from "./support/serve.ts";
import { until, within } from "./support/until.ts";
import { startWorkers } from "./support/workers.ts";
import {
  connectMany,
  connectRoundRobin,
  countNotifications,
  frameOf,
  numbersOf,
  resetsOf,
  waitForNotifications,
} from "./support/workers_clients.ts";
import { roundRobinNetwork } from "./support/workers_network.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
/** Longer than it takes to detect that a worker is down. */
const RECOVERY_TIMEOUT_MS = 20_000;
const DISCONNECTS = 20;

for (const engine of engines) {
  describe(`Four workers, one of them killed, on ${engine}`, () => {
    it("C6 H4 clients of a killed worker reconnect to another one automatically", async () => {
      await using workers = await startWorkers(engine);
      const clients = await connectMany(workers, 8, { reconnect: true });
      try {
        const victim = workers.alive[1]!;
        const wasOnKilledWorker = clients.map(({ network }) =>
          network.streamWorker() === victim.name
        );
        await victim.kill();
        assertEquals(workers.alive.length, 3);
        for (const [index, { network, sessionId }] of clients.entries()) {
          if (!wasOnKilledWorker[index]) continue;
          await until(
            () => network.streamWorker() !== victim.name,
            "a stream on another worker",
            RECOVERY_TIMEOUT_MS,
          );
          // Missed events are lost with the worker, so the client gets a reset.
          const name = network.streamWorker();
          const owner = workers.alive.find((worker) => worker.name === name)!;
          await until(
            async () => (await owner.call("resets")).includes(sessionId),
            "a reset",
            RECOVERY_TIMEOUT_MS,
          );
        }
        // The other clients were not disconnected.
        for (const [index, { network }] of clients.entries()) {
          const streams = network.exchanges.filter(({ method, status }) =>
            method === "GET" && status === 200
          );
          assertEquals(streams.length, wasOnKilledWorker[index] ? 2 : 1);
        }
        for (let round = 1; round <= 2; round++) {
          for (const worker of workers.alive) await worker.call("renameTools");
          await waitForNotifications(clients, 3 * round);
        }
        for (const client of clients) {
          assertEquals(countNotifications(client), { [TOOLS_CHANGED]: 6 });
          const { tools } = await client.client.listTools();
          assert(tools.length > 0);
        }
      } finally {
        await Promise.all(clients.map((client) => client.close()));
      }
    });

    it("C6 a subscriber is notified when its worker is killed, and can subscribe again on another one", async () => {
      await using workers = await startWorkers(engine);
      const network = roundRobinNetwork();
      await using alice = await connectModern(workers.httpUrl, {
        fetch: network.fetch,
      });
      const first = await alice.client.listen({ toolsListChanged: true });
      const owner = network.exchanges.at(-1)!.worker;
      await workers.alive.find(({ name }) => name === owner)!.kill();
      assertEquals(
        await within(first.closed, "the subscription to end"),
        "remote",
      );
      await alice.client.listen({ toolsListChanged: true });
      for (let round = 1; round <= 2; round++) {
        for (const worker of workers.alive) await worker.call("renameTools");
        await waitForNotifications([alice], 3 * round);
      }
      assertEquals(countNotifications(alice), { [TOOLS_CHANGED]: 6 });
    });
  });

  describe(`Resuming on another of four workers, on ${engine}`, () => {
    it(`S14 H4 H7 an official client that is disconnected ${DISCONNECTS} times receives everything once, in order`, async () => {
      await using workers = await startWorkers(engine);
      await using alice = await connectRoundRobin(workers, { reconnect: true });
      await using bob = await connectRoundRobin(workers);
      const { sessionId, notifications, network } = alice;
      const [sender] = workers.alive;
      const owners: (string | undefined)[] = [network.streamWorker()];
      let count = 0;
      const send = async () => {
        const number = count++;
        const to = number % 3 === 0 ? undefined : [sessionId];
        await sender!.call("send", to, frameOf(number));
      };
      await send();
      await waitForNotifications([alice], 1);
      for (let round = 0; round < DISCONNECTS; round++) {
        const opened = network.exchanges.length;
        alice.breakStream();
        for (let burst = 0; burst < 5; burst++) await send();
        await until(() => network.exchanges.length > opened, "a new stream");
        await send();
        owners.push(network.streamWorker());
        // The official client forgets its last event ID if a stream ends before
        // its first event:
        // https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
        await waitForNotifications([alice], count).catch(
          async ({ message }) => {
            assertEquals(await resetsOf(workers), [], message);
            throw new Error(message);
          },
        );
      }
      // Bob's worker may lag behind Alice's.
      await waitForNotifications([bob], Math.ceil(count / 3));
      assertEquals(await resetsOf(workers), []);
      const numbers = numbersOf(notifications);
      const all = Array.from({ length: count }, (_, number) => number);
      assertEquals(numbers.toSorted((one, other) => one - other), all);
      assertEquals(
        numbersOf(bob.notifications),
        Array.from({ length: Math.ceil(count / 3) }, (_, index) => 3 * index),
      );
      // Other connections may have taken turns at the load balancer.
      const moves = owners.filter((owner, at) =>
        at > 0 && owner !== owners[at - 1]
      );
      assert(
        moves.length > DISCONNECTS / 2,
        `The streams were on workers ${owners}.`,
      );
    });
  });
}
