import { Audience } from "./audience.ts";
import type { Client } from "./client.ts";
import { connectCrowd, streamsThatFit } from "./crowd.ts";
import { perWorker, streamsOf } from "./homes.ts";
import { ModernClient } from "./modern_client.ts";
import { Network } from "./network.ts";
import { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { ServerProcess } from "./server_process.ts";
import { LIST_CHANGED, NEWS, Steps } from "./steps.ts";
import { StreamClient } from "./stream_client.ts";

/** As many as `workers/main.ts` starts. */
const WORKERS = 4;
const STREAMS = 400;
/** A connection to the front, and both ends of one from there to the worker. */
const FILES_EACH = 3;

/**
 * Connects clients to workers that share their sessions. Each request has its own
 * connection, so it reaches the next worker, hardly ever the one that has the
 * client's stream.
 */
export async function showSeveralWorkers(
  report: Report,
  command: readonly string[],
): Promise<void> {
  const audience = new Audience();
  using network = new Network();
  await using server = await ServerProcess.start(command);
  report.say("server", `${server.url}, ${WORKERS} workers behind a front`);
  const options = {
    onReceive: audience.onReceive,
    fetch: network.fetch,
    comesBack: true,
  };
  const caller = await OfficialClient.connect(server.url, options);
  audience.clients.push(caller);
  const sizes = {
    streams: await streamsThatFit(STREAMS, FILES_EACH),
    official: 9,
    modern: 10,
  };
  await connectCrowd(server.url, audience, {
    sizes,
    news: NEWS,
    fetch: network.fetch,
    comesBack: true,
  });
  report.say(
    "clients",
    `${count(sizes.streams)} by fetch, ${sizes.official + 1} of 2025-11-25, ` +
      `${sizes.modern} of 2026-07-28`,
  );
  report.say("their streams", perWorker(streamsOf(audience.clients)));
  report.say("their requests", perWorker(network.answered));
  report.expect(
    streamsOf(audience.clients).size === WORKERS,
    "not every worker has streams",
  );

  report.startSteps();
  const steps = new Steps(report, audience, caller);
  await steps.newsChanged();
  await steps.onEach("each worker's tools", WORKERS);
  await steps.manyAtOnce();

  await steps.someAway();

  await killOne();
  await steps.onEach("each worker's tools", WORKERS);
  await steps.oneDeleted();
  console.log();
  await report.shutdown(server, audience);

  function streamClients(): StreamClient[] {
    return audience.clients.filter((c) => c instanceof StreamClient);
  }

  /** Kills a worker, and waits for its clients and for its successor. */
  async function killOne(): Promise<void> {
    const { clients } = audience;
    const streams = new Map(clients.map((client) => [client, client.streams]));
    const homes = new Map(clients.map((client) => [client, client.worker]));
    const resets = new Map(streamClients().map((c) => [c, c.resets]));
    const isBack = (client: Client) => client.streams > streams.get(client)!;
    for (const client of clients) client.forget();
    const start = performance.now();
    // Its answer may die with the worker.
    await streamClients()[0]!.call("crash").catch(() => {});
    await audience.until(() => clients.some(isBack));
    const dead = homes.get(clients.find(isBack)!);
    const victims = clients.filter((client) => homes.get(client) === dead);
    const back = await audience.count(victims, isBack);
    // What they missed died with the worker: they are told to look again, but for
    // those that listen, which know that they began anew.
    const uncertain = victims.filter((c) => !(c instanceof ModernClient));
    const told = await audience.count(
      uncertain,
      (client) => client.hasExactly(1, LIST_CHANGED),
    );
    const ms = performance.now() - start;
    const reset = victims.filter((client) =>
      client instanceof StreamClient && client.resets > resets.get(client)!
    );

    console.log();
    report.say(
      `worker ${dead} killed`,
      `${count(victims.length)} streams broke off, ${count(back)} back in ` +
        `${count(ms)} ms on others (${perWorker(streamsOf(victims))})`,
    );
    report.say(
      "",
      `${count(told)} told to look again, ${count(reset.length)} of them by ` +
        "fetch",
    );
    report.expect(dead !== undefined, "no stream was on the dead worker");
    report.expect(back === victims.length, "not all victims came back");
    report.expect(
      !streamsOf(victims).has(dead!),
      "somebody came back to the dead worker",
    );
    report.expect(
      told === uncertain.length,
      "not all victims were told that they missed something",
    );

    const successor = String(WORKERS + 1);
    const patience = performance.now() + 10_000;
    while (!network.answered.has(successor)) {
      if (performance.now() > patience) break;
      await caller.ping();
    }
    report.expect(
      network.answered.has(successor),
      "no worker took the place of the dead one",
    );
    report.say(`worker ${successor}`, "has taken its place");
    report.startSteps();
  }
}
