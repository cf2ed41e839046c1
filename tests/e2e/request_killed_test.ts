import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import { describeRedis } from "../redis/support/redis_server.ts";
import type { Fetch } from "./support/clients.ts";
import { connectCounter } from "./support/interrupted_calls.ts";
import { startRedisWorkers } from "./support/redis_workers.ts";
import { engines } from "./support/serve.ts";

const CALLS = 6;
/** The progress at which the process is killed. */
const KILL_AT = 30;

describeRedis("Tool calls over Redis, whose processes are killed", () => {
  for (const major of [1, 2]) {
    it(`P5 the official client ${major}.x gets what was sent, and then a result or an error`, async () => {
      await using workers = await startRedisWorkers(engines[0]!);
      workers.add(await workers.start("3"));
      let started = 3;
      let worker: string | null = null;
      const recordingFetch: Fetch = async (url, init) => {
        const response = await fetch(url, init);
        const body = `${init?.body ?? ""}`;
        if (body.includes("tools/call")) {
          worker = response.headers.get("x-worker");
        }
        return response;
      };
      await using count = await connectCounter(
        major,
        workers.httpUrl,
        { has: (id) => workers.alive[0]!.call("has", id) },
        recordingFetch,
        "count-slowly",
      );
      let killed = 0;
      for (let call = 0; call < CALLS; call++) {
        const progress: number[] = [];
        let killing: Promise<void> | undefined;
        const result = await count((number) => {
          progress.push(number);
          if (call % 3 !== 1 || progress.length !== KILL_AT) return;
          killing = workers.alive.find(({ name }) => name === worker)?.kill();
        }).catch((error) => error);
        assertEquals(progress, progress.map((_, index) => index + 1));
        if (killing === undefined) {
          assertEquals(result, [{ type: "text", text: "100" }], `${result}`);
          assertEquals(progress.length, 100);
          continue;
        }
        await killing;
        killed++;
        const { code } = result as { code?: number };
        assertEquals(code, -32_603, `${result}`);
        assert(progress.length >= KILL_AT, `Progress ${progress.length}.`);
        workers.add(await workers.start(`${++started}`));
      }
      assertEquals(killed, CALLS / 3);
    });
  }
});
