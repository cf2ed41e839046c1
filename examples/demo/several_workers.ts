import { Audience } from "./audience.ts";
import type { Client } from "./client.ts";
import { connectClients, streamsThatFit } from "./connect_clients.ts";
import { perWorker, streamsOf } from "./stream_counts.ts";
import { ModernClient } from "./modern_client.ts";
import { Network } from "./network.ts";
import { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { ServerProcess } from "./server_process.ts";
import { LIST_CHANGED, NEWS, Steps } from "./steps.ts";
import { StreamClient } from "./stream_client.ts";

/** The number that `workers/main.ts` starts. */
const WORKERS = 4;
const STREAMS = 400;
/**
 * A connection to the load balancer, and both ends of its connection to the
 * worker.
 */
const FILES_EACH = 3;

/**
 * Connects clients to workers that share their sessions. Each request has its
 * own connection, so it reaches another worker than the previous one, and
 * rarely the one that holds the client's stream.
 */
export async function showSeveralWorkers(
  report: Report,
  command: readonly string[],
): Promise<void> {
  const audience = new Audience();
  using network = new Network();
  await using server = await ServerProcess.start(command);
  report.print(
    "server",
    `${server.url}, ${WORKERS} workers behind a load balancer`,
  );
  const options = {
    onReceive: audience.onReceive,
    fetch: network.fetch,
    reconnects: true,
  };
  const caller = await OfficialClient.connect(server.url, options);
  audience.clients.push(caller);
  const sizes = {
    streams: await streamsThatFit(STREAMS, FILES_EACH),
    official: 9,
    modern: 10,
  };
  await connectClients(server.url, audience, {
    sizes,
    news: NEWS,
    fetch: network.fetch,
    reconnects: true,
  });
  report.print(
    "clients",
    `${count(sizes.streams)} using fetch, ${
      sizes.official + 1
    } of 2025-11-25, ` +
      `${sizes.modern} of 2026-07-28`,
  );
  report.print("their streams", perWorker(streamsOf(audience.clients)));
  report.print("their requests", perWorker(network.answered));
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

  /** Kills a worker, and waits for its clients and for its replacement. */
  async function killOne(): Promise<void> {
    const { clients } = audience;
    const streams = new Map(clients.map((client) => [client, client.streams]));
    const workers = new Map(clients.map((client) => [client, client.worker]));
    const resets = new Map(streamClients().map((c) => [c, c.resets]));
    const isBack = (client: Client) => client.streams > streams.get(client)!;
    for (const client of clients) client.resetCounts();
    const start = performance.now();
    // Its response may be lost with the worker.
    await streamClients()[0]!.call("crash").catch(() => {});
    await audience.until(() => clients.some(isBack));
    const dead = workers.get(clients.find(isBack)!);
    const victims = clients.filter((client) => workers.get(client) === dead);
    const back = await audience.count(victims, isBack);
    // The missed events were lost with the worker. Its clients get a
    // notification, except for those that listen, which know that they began
    // anew.
    const uncertain = victims.filter((c) => !(c instanceof ModernClient));
    const notified = await audience.count(
      uncertain,
      (client) => client.hasExactly(1, LIST_CHANGED),
    );
    const ms = performance.now() - start;
    const reset = victims.filter((client) =>
      client instanceof StreamClient && client.resets > resets.get(client)!
    );

    console.log();
    report.print(
      `worker ${dead} killed`,
      `${count(victims.length)} streams broke, ${count(back)} reconnected in ` +
        `${count(ms)} ms to others (${perWorker(streamsOf(victims))})`,
    );
    report.print(
      "",
      `${count(notified)} notified to read again, ${
        count(reset.length)
      } of them using ` +
        "fetch",
    );
    report.expect(dead !== undefined, "no stream was on the dead worker");
    report.expect(
      back === victims.length,
      "not all clients of the killed worker reconnected",
    );
    report.expect(
      !streamsOf(victims).has(dead!),
      "a client reconnected to the dead worker",
    );
    report.expect(
      notified === uncertain.length,
      "not all clients were notified that events were missed",
    );

    const successor = String(WORKERS + 1);
    const patience = performance.now() + 10_000;
    while (!network.answered.has(successor)) {
      if (performance.now() > patience) break;
      await caller.ping();
    }
    report.expect(
      network.answered.has(successor),
      "no worker replaced the dead one",
    );
    report.print(`worker ${successor}`, "has replaced it");
    report.startSteps();
  }
}
