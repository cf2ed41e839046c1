import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import { describeRedis } from "../redis/support/redis_server.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { until } from "./support/until.ts";
import {
  connectScattered,
  frameOf,
  numbersOf,
} from "./support/workers_clients.ts";
import { engines } from "./support/serve.ts";

const KILLS = 20;
/** How far apart notifications are sent, in milliseconds. */
const APART_MS = 5;
/** Longer than it takes to connect to another server. */
const BACK_MS = 20_000;

describeRedis("Killed processes over Redis", () => {
  it(`S14 C6 H4 an official client whose server is killed ${KILLS} times gets everything once, in order`, async () => {
    await using workers = await startRedisWorkers(engines[0]!);
    // Who sends is not behind the load balancer: nobody's stream is there.
    const sender = await workers.start("sender");
    await using alice = await connectScattered(workers, { reconnect: true });
    const { network, notifications, sessionId } = alice;

    let isOver = false;
    let count = 0;
    const sendUntilTheEnd = async () => {
      while (!isOver) {
        const number = count++;
        const to = number % 3 === 0 ? undefined : [sessionId];
        await sender.call("send", to, frameOf(number));
        await new Promise((resolve) => setTimeout(resolve, APART_MS));
      }
    };
    const sending = sendUntilTheEnd();
    const deaths: string[] = [];
    // A process takes longer to start than its clients to come back.
    const start = (number: number) => workers.start(`${number}`);
    const spares = [start(3), start(4)];
    try {
      while (deaths.length < KILLS) {
        // The official client forgets its position when a stream ends before its
        // first event: https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
        const seen = notifications.length;
        await until(
          () => notifications.length > seen,
          `notifications after ${deaths.length} deaths`,
          BACK_MS,
        );
        const home = network.streamWorker()!;
        const victim = workers.alive.find(({ name }) => name === home)!;
        await victim.kill();
        deaths.push(home);
        workers.add(await spares.shift()!);
        spares.push(start(deaths.length + 4));
        await until(
          () => network.streamWorker() !== home,
          `a stream after ${deaths.length} deaths`,
          BACK_MS,
        );
      }
    } finally {
      isOver = true;
      await sending;
      await Promise.all(spares);
    }
    await until(
      () => numbersOf(notifications).includes(count - 1),
      "the last notification",
      BACK_MS,
    );
    // Only what is wrong: thousands of numbers say nothing.
    const numbers = numbersOf(notifications);
    const seen = new Set<number>();
    const wrong = numbers.filter((number, place) => {
      const isNew = !seen.has(number);
      seen.add(number);
      return !isNew || number < (numbers[place - 1] ?? 0);
    });
    assertEquals(wrong, [], "Notifications were repeated, or came too late.");
    assertEquals(seen.size, count, "Notifications were lost.");
    assertEquals(
      new Set(deaths).size,
      KILLS,
      `Processes that were killed: ${deaths}.`,
    );
    const resets = await Promise.all(
      [sender, ...workers.alive].map((worker) => worker.call("resets")),
    );
    assertEquals(resets.flat(), []);
    assertEquals(await sender.call("reported"), []);
    assert(count > KILLS * 10, `Only ${count} were sent.`);
  });
});
