import { Audience } from "./audience.ts";
import type { Client } from "./client.ts";
import { connectClients, streamsThatFit } from "./connect_clients.ts";
import { perWorker, streamsOf } from "./stream_counts.ts";
import { ModernClient } from "./modern_client.ts";
import { Network } from "./network.ts";
import { OfficialClient } from "./official_client.ts";
import type { RedisProcess } from "./redis_process.ts";
import { count, type Report } from "./report.ts";
import { startServers } from "./server_group.ts";
import { LIST_CHANGED, NEWS, Steps, UPDATED } from "./steps.ts";
import { StreamClient } from "./stream_client.ts";

const NAMES = ["a", "b", "c"];
const STREAMS = 300;
/** As with several workers; the load balancer is a separate process. */
const FILES_EACH = 2;
/**
 * The number of notifications sent while a server dies, and the milliseconds
 * between them.
 */
const SENT = 60;
const APART_MS = 10;

/**
 * Connects clients to servers that share their sessions through Redis, kills
 * servers and Redis itself, and checks that the clients still receive
 * everything.
 *
 * @param report Receives the results.
 * @param command The command that starts a server.
 * @param loadBalancer The command that starts the load balancer; the ports are added.
 * @param redis The Redis server.
 */
export async function showRedisServers(
  report: Report,
  command: readonly string[],
  loadBalancer: readonly string[],
  redis: RedisProcess,
): Promise<void> {
  const audience = new Audience();
  const { clients } = audience;
  using network = new Network();
  await redis.start();
  await using stack = new AsyncDisposableStack();
  const { servers, start, url } = await startServers(
    stack,
    NAMES,
    command,
    loadBalancer,
    redis,
  );
  report.print(
    "servers",
    `${url}, ${servers.size} processes behind a load balancer`,
  );

  const options = {
    onReceive: audience.onReceive,
    fetch: network.fetch,
    reconnects: true,
  };
  const caller = await OfficialClient.connect(url, options);
  clients.push(caller);
  const sizes = {
    streams: await streamsThatFit(STREAMS, FILES_EACH),
    official: 9,
    modern: 10,
  };
  await connectClients(url, audience, { ...options, sizes, news: NEWS });
  report.print(
    "clients",
    `${count(sizes.streams)} using fetch, ${
      sizes.official + 1
    } of 2025-11-25, ` +
      `${sizes.modern} of 2026-07-28`,
  );
  report.print("their streams", perServer(streamsOf(clients)));
  report.print("their requests", perServer(network.answered));
  report.expect(
    streamsOf(clients).size === NAMES.length,
    "not every server has streams",
  );

  report.startSteps();
  const steps = new Steps(report, audience, caller);
  const eachServer = () => steps.onEach("each server's tools", NAMES.length);
  await steps.newsChanged();
  await eachServer();
  await steps.manyAtOnce();
  await steps.someAway();

  await killWhile("b", "tools change, b dies", {
    tool: "add_tool",
    method: LIST_CHANGED,
    to: () => true,
  });
  await killWhile("c", "news change, c dies", {
    tool: "publish",
    method: UPDATED,
    to: (client) => client.subscribed,
  });
  await steps.newsChanged();
  await eachServer();

  await restartRedis();
  await steps.newsChanged();
  await eachServer();
  await steps.someAway();
  await steps.oneDeleted();
  console.log();
  await report.shutdown({
    stop: async () => {
      const stops = [...servers.values()].map((server) => server.stop());
      const codes = await Promise.all(stops);
      return codes.find((code) => code !== 0) ?? codes[0];
    },
  }, audience);

  /** Kills a server while another one sends, and starts it again. */
  async function killWhile(
    name: string,
    step: string,
    { tool, method, to }: {
      tool: string;
      method: string;
      to: (client: Client) => boolean;
    },
  ): Promise<void> {
    const victims = clients.filter(({ worker }) => worker === name);
    const streams = new Map(victims.map((client) => [client, client.streams]));
    const resets = countResets();
    const victim = servers.get(name)!;
    const other = NAMES.find((other) => other !== name)!;
    const sender = await connectTo(other);
    const isBack = (client: Client) => client.streams > streams.get(client)!;
    // Listeners cannot resume. They know themselves what they may have missed.
    const listeners = new Set<Client>(
      victims.filter((client) => client instanceof ModernClient),
    );
    let died = 0;
    let backAfter: Promise<number> | undefined;
    let sentMeanwhile = 0;
    await report.step(step, audience, {
      method,
      to,
      except: (client) => listeners.has(client),
      times: SENT,
      cause: async () => {
        const calls: Promise<unknown>[] = [];
        while (calls.length < SENT) {
          if (calls.length === SENT / 3) {
            await victim.kill();
            died = performance.now();
            backAfter = audience.until(() => victims.every(isBack))
              .then(() => performance.now() - died);
          }
          calls.push(sender.call(tool));
          if (died > 0 && !victims.some(isBack)) sentMeanwhile++;
          await new Promise((resolve) => setTimeout(resolve, APART_MS));
        }
        await Promise.all(calls);
      },
    });
    const ms = await backAfter!;
    await sender.close();
    const back = victims.filter(isBack);
    report.print(
      "",
      `server ${name} killed: ${count(victims.length)} streams broke, ` +
        `${count(back.length)} reconnected in ${count(ms)} ms ` +
        `(${perServer(streamsOf(victims))});`,
    );
    report.print(
      "",
      `${sentMeanwhile} of ${SENT} were sent before the first one reconnected`,
    );
    report.expect(victims.length > 0, `no stream was on server ${name}`);
    report.expect(
      back.length === victims.length,
      "not all clients of the killed server reconnected",
    );
    report.expect(
      sentMeanwhile > 0,
      "nothing was sent while they were disconnected",
    );
    report.expect(
      countResets() === resets,
      "a client got a reset although nothing was lost",
    );
    await start(name, victim.url.port);
  }

  /** Kills Redis, and starts it again with an empty database. */
  async function restartRedis(): Promise<void> {
    const senders = await Promise.all(NAMES.map(connectTo));
    const eachLocally = (name: string) =>
      report.step(name, audience, {
        method: LIST_CHANGED,
        to: () => true,
        times: 1, // of its own server
        cause: () =>
          Promise.all(senders.map((sender) => sender.call("add_tool"))),
      });
    console.log();
    report.print("Redis killed", "each server sends twice");
    report.startSteps();
    await redis.kill();
    await eachLocally("to its own clients");
    await eachLocally("and once again");
    await report.step("Redis back, empty", audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: 2 * (NAMES.length - 1), // of the other servers
      cause: () => redis.start(),
    });
    await Promise.all(senders.map((sender) => sender.close()));
  }

  /** A client that is not counted, and whose requests all reach one server. */
  function connectTo(name: string): Promise<OfficialClient> {
    return OfficialClient.connect(servers.get(name)!.url, {
      onReceive: () => {},
      fetch: network.fetch,
      reconnects: false,
    });
  }

  function countResets(): number {
    return clients.filter((client) => client instanceof StreamClient)
      .reduce((sum, { resets }) => sum + resets, 0);
  }
}

function perServer(counts: ReadonlyMap<string, number>): string {
  return perWorker(counts, "server");
}
