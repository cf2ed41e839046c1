import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { meet } from "../cluster_nodes/remote_nodes.ts";
import { until } from "../e2e/support/until.ts";
import { type ProcessNode, withProcesses } from "./support/processes.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

type Two = [ProcessNode, ProcessNode];

const OPTIONS = { cluster: { heartbeatMs: 200, requestTimeoutMs: 300 } };
/** How often a node may report one outage. */
const REPORTS = 3;

/** Stores one of everything on a node. */
async function fill(node: ProcessNode, name: string): Promise<void> {
  await node.node.open(name);
  await node.info.setLogLevel(name, "alert");
  await node.info.setClientInfo(name, { name, version: "1" });
  await node.info.addSubscription(name, `file:///${name}`);
  await node.subscribers.subscribe(1, name, { toolsListChanged: true });
}

/** Returns whether a node knows everything about a session. */
async function knows(node: ProcessNode, name: string): Promise<boolean> {
  try {
    const [has, level, info, subscribed] = await Promise.all([
      node.streams.has(name),
      node.info.getLogLevel(name),
      node.info.getClientInfo(name),
      node.info.getSubscriptions(`file:///${name}`),
    ]);
    return has && level === "alert" && info?.name === name &&
      subscribed.join() === name;
  } catch {
    return false;
  }
}

/** Waits until all nodes know all sessions, and reach them. */
async function expectAll(
  nodes: readonly ProcessNode[],
  names: readonly string[],
): Promise<void> {
  await meet(nodes);
  for (const [from, { messages }] of nodes.entries()) {
    for (const name of names) {
      await until(
        () => knows(nodes[from]!, name),
        `node ${from} to know of "${name}"`,
        PATIENCE_MS,
      );
    }
    const texts = [`${crypto.randomUUID()} one`, `${crypto.randomUUID()} all`];
    await messages.send([...names], texts[0]!);
    await messages.send(undefined, texts[1]!);
    for (const [at, name] of names.entries()) {
      const got = await nodes[at]!.node.receivedAll(name, texts);
      for (const text of texts) {
        assertEquals(got.filter((each) => each === text), [text]);
      }
    }
  }
}

/** Expects that a node delivers to its own sessions while Redis is down. */
async function deliversHere(node: ProcessNode, name: string): Promise<void> {
  const texts = Array.from({ length: 3 }, () => crypto.randomUUID());
  for (const text of texts) {
    // It may take its time, and nothing waits for it.
    void node.messages.send([name], text);
    void node.messages.send(undefined, `${text} all`);
  }
  const all = texts.flatMap((text) => [text, `${text} all`]);
  const got = await node.node.receivedAll(name, all);
  assertEquals(got.filter((text) => all.includes(text)), all);
}

/** Uses a node as transports do, which await nothing. */
function useWithoutWaiting(node: ProcessNode, name: string): void {
  void node.clients.begin();
  void node.streams.has("somebody else");
  void node.node.open(`${name} new`);
  void node.info.setLogLevel(name, "alert");
  void node.info.addSubscription(name, `file:///${name}`);
  void node.info.getClientInfo("somebody else");
  void node.subscribers.subscribe(2, name, { promptsListChanged: true });
}

/** Waits until a node has noticed the outage and reported it. */
async function noticed(node: ProcessNode, outages = 1): Promise<void> {
  await until(
    async () =>
      (await reportsOf(node)).length > 0 &&
      (await outagesOf(node)) >= outages,
    "the outage to be reported",
    PATIENCE_MS,
  );
}

async function outagesOf(node: ProcessNode): Promise<number> {
  return (await node.node.stats()).cluster.outages;
}

async function reportsOf(node: ProcessNode): Promise<string[]> {
  return (await node.node.reports()).errors;
}

describeRedis("RedisSessions: outages", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.kill());

  const outages: [name: string, begin: () => unknown, end: () => unknown][] = [
    [
      "that is killed, and comes back empty,",
      () => server.kill(),
      () => server.restart(),
    ],
    [
      "that hangs for longer than requestTimeoutMs",
      () => server.pause(),
      () => server.resume(),
    ],
  ];
  for (const [name, begin, end] of outages) {
    it(
      `R1 a Redis ${name} stops no local delivery, and everything is known again afterwards`,
      withProcesses(() => server, OPTIONS, async (processes) => {
        const nodes = await processes.start(2) as Two;
        const [a, b] = nodes;
        await fill(a, "a");
        await fill(b, "b");
        await expectAll(nodes, ["a", "b"]);
        for (let outage = 1; outage <= 2; outage++) {
          await begin();
          await deliversHere(a, "a");
          await deliversHere(b, "b");
          useWithoutWaiting(a, "a");
          useWithoutWaiting(b, "b");
          for (const node of nodes) await noticed(node, outage);
          // The times of the tests are short: no session has expired.
          await deliversHere(a, "a");
          await deliversHere(b, "b");
          await end();
          await expectAll(nodes, ["a", "b"]);
          for (const node of nodes) {
            const { length } = await reportsOf(node);
            assert(
              length <= outage * REPORTS,
              `${await reportsOf(node)}`,
            );
            // Each is reported at least once.
            const outages = await outagesOf(node);
            assert(outages <= length, `${outages} outages, ${length} reports`);
          }
        }
      }),
    );
  }

  it("R1 a Redis that is down at the start is found when it is up", async () => {
    const late = await RedisServer.reserve();
    const run = withProcesses(() => late, OPTIONS, async (processes) => {
      const nodes = [0, 1].map(() =>
        processes.spawnOn(undefined, { isUp: false })
      ) as Two;
      const [a, b] = nodes;
      const joining = Promise.all(nodes.map((node) => processes.join(node)));
      for (const [at, node] of nodes.entries()) {
        // It is there as soon as it was created.
        await until(
          () => node.node.nodes().then(() => true, () => false),
          "a node",
          PATIENCE_MS,
        );
        void fill(node, at === 0 ? "a" : "b");
        useWithoutWaiting(node, at === 0 ? "a" : "b");
      }
      for (const [node, name] of [[a, "a"], [b, "b"]] as const) {
        await until(
          async () => (await node.node.states([name]))[0] === "open",
          "a stream",
          PATIENCE_MS,
        );
        await deliversHere(node, name);
      }
      await late.restart();
      await joining;
      await expectAll(nodes, ["a", "b"]);
      for (const node of nodes) {
        const reports = await reportsOf(node);
        assert(reports.length <= REPORTS, `${reports}`);
      }
    });
    try {
      await run();
    } finally {
      await late.kill();
    }
  });

  it(
    "R1 a node can be closed while Redis is down",
    withProcesses(() => server, OPTIONS, async (processes) => {
      const [a, b] = await processes.start(2) as Two;
      await fill(a, "a");
      await fill(b, "b");
      await server.kill();
      await a.node.close();
      assertEquals(await a.node.states(["a"]), ["closed"]);
      await server.restart();
      await until(
        async () => !(await b.streams.has("a")) && await knows(b, "b"),
        "the closed node to be gone",
        PATIENCE_MS,
      );
      await deliversHere(b, "b");
    }),
  );
});
