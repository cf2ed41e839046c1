import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import { describeRedis } from "../redis/support/redis_server.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { until } from "./support/until.ts";
import {
  connectRoundRobin,
  frameOf,
  numbersOf,
} from "./support/workers_clients.ts";
import { engines } from "./support/serve.ts";

const KILLS = 8;
/** Time between two notifications, in milliseconds. */
const INTERVAL_MS = 5;
/** Longer than a client needs to connect to another server. */
const RECONNECT_TIMEOUT_MS = 20_000;

describeRedis("Killed processes over Redis", () => {
  it(`S14 C6 H4 an official client whose server is killed ${KILLS} times receives everything once, in order`, async () => {
    await using workers = await startRedisWorkers(engines[0]!);
    // The sender is not behind the load balancer, so it owns no streams.
    const sender = await workers.start("sender");
    await using alice = await connectRoundRobin(workers, { reconnect: true });
    const { network, notifications, sessionId } = alice;

    let isOver = false;
    let count = 0;
    const sendContinuously = async () => {
      while (!isOver) {
        const number = count++;
        const to = number % 3 === 0 ? undefined : [sessionId];
        await sender.call("send", to, frameOf(number));
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      }
    };
    const sending = sendContinuously();
    const killed: string[] = [];
    // Starting a process takes longer than reconnecting, so standbys are
    // started ahead.
    const start = (number: number) => workers.start(`${number}`);
    const standbys = [start(3), start(4)];
    try {
      while (killed.length < KILLS) {
        // The official client forgets its last event ID if a stream ends before
        // its first event:
        // https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
        // What was sent before may still come from the stream before.
        const newest = count;
        await until(
          () => (numbersOf(notifications.slice(-1))[0] ?? -1) >= newest,
          `notifications after ${killed.length} kills`,
          RECONNECT_TIMEOUT_MS,
        );
        const owner = network.streamWorker()!;
        const victim = workers.alive.find(({ name }) => name === owner)!;
        await victim.kill();
        killed.push(owner);
        workers.add(await standbys.shift()!);
        standbys.push(start(killed.length + 4));
        await until(
          () => network.streamWorker() !== owner,
          `a stream after ${killed.length} kills`,
          RECONNECT_TIMEOUT_MS,
        );
      }
    } finally {
      isOver = true;
      await sending;
      await Promise.all(standbys);
    }
    await until(
      () => numbersOf(notifications).includes(count - 1),
      "the last notification",
      RECONNECT_TIMEOUT_MS,
    );
    // Keeps the failure message short: only the repeated or misplaced numbers.
    const numbers = numbersOf(notifications);
    const seen = new Set<number>();
    const misplaced = numbers.filter((number, index) => {
      const isNew = !seen.has(number);
      seen.add(number);
      return !isNew || number < (numbers[index - 1] ?? 0);
    });
    assertEquals(
      misplaced,
      [],
      "Notifications were repeated or out of order.",
    );
    assertEquals(seen.size, count, "Notifications were lost.");
    assertEquals(
      new Set(killed).size,
      KILLS,
      `Killed processes: ${killed}.`,
    );
    const resets = await Promise.all(
      [sender, ...workers.alive].map((worker) => worker.call("resets")),
    );
    assertEquals(resets.flat(), []);
    assertEquals(await sender.call("reported"), []);
    assert(count > KILLS * 10, `Only ${count} notifications were sent.`);
  });
});
