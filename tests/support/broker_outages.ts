import type { ClusterSessions } from "@crossmcp/session-manager/cluster";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import { NodeActions } from "../cluster_nodes/node_actions.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import type { ServerProcess } from "./server_process.ts";

/** A broker, and the nodes that share it. */
export interface Broker {
  /** The server. */
  readonly server: () => ServerProcess;
  /** Creates a node with its own connection. */
  readonly create: (
    name: string,
    options: ClusterNodeOptions,
  ) => Promise<ClusterSessions>;
}

const OPTIONS = {
  cluster: { heartbeatMs: 400, requestTimeoutMs: 400 },
  streams: { replay: {} },
};
/** How many frames are sent in each part of an outage. */
const FRAMES = 50;

/** Registers the tests of a broker that fails. */
export function testOutages(broker: Broker): void {
  const killed = "that is killed and started again";
  const outages: [name: string, begin: () => unknown, end: () => unknown][] = [
    [
      killed,
      () => broker.server().kill(),
      () => broker.server().start(),
    ],
    [
      "that hangs for a while",
      () => broker.server().signal("SIGSTOP"),
      () => broker.server().signal("SIGCONT"),
    ],
  ];
  for (const [name, begin, end] of outages) {
    it(`C10 a server ${name} loses nothing, and stops no local delivery`, () =>
      withNodes(broker, 3, async (nodes) => {
        const [a] = nodes as [NodeActions];
        await Promise.all(nodes.map((node, at) => node.open(`s${at}`)));
        await meet(nodes);
        const expected: string[] = [];
        for (let outage = 1; outage <= 2; outage++) {
          await begin();
          for (let count = 0; count < FRAMES; count++) {
            const text = `${outage} ${count}`;
            expected.push(text);
            // Nothing waits for it.
            void a.sessions.streams.send(undefined, `data: ${text}\n\n`);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          assertEquals(await a.receivedAll("s0", expected), expected);
          await end();
          for (const [at, node] of nodes.entries()) {
            const got = await node.receivedAll(`s${at}`, expected);
            assertEquals(got, expected, `node ${at}`);
          }
          await meet(nodes);
        }
        for (const node of nodes) {
          const { cluster } = node.stats();
          assertEquals(cluster.lost, 0);
          // A server that starts may accept a connection and break it.
          const { outages } = cluster;
          const isCounted = outages >= 2 && outages <= 4;
          assert(isCounted || name !== killed, `${outages} outages`);
          const { errors } = node.reports();
          assert(errors.length <= 4, errors.join("\n"));
        }
      }));
  }

  it("C12 a frame of 3 MiB arrives, and a server that is killed meanwhile changes nothing", () =>
    withNodes(broker, 2, async (nodes) => {
      const [a, b] = nodes as [NodeActions, NodeActions];
      await b.open("s");
      await meet(nodes);
      const long = "\u20ac".repeat(2 ** 20);
      void a.sessions.streams.send(["s"], `data: ${long}\n\n`);
      await broker.server().kill();
      void a.sessions.streams.send(["s"], "data: short\n\n");
      await broker.server().start();
      const got = await b.receivedAll("s", ["short"]);
      assert(
        got[0] === long,
        `The long frame has ${got[0]?.length} characters`,
      );
      assertEquals(got.slice(1), ["short"]);
      assertEquals(a.stats().cluster.lost, 0);
    }));

  it("C6 a node can be closed while the server is down", () =>
    withNodes(broker, 2, async (nodes) => {
      const [a, b] = nodes as [NodeActions, NodeActions];
      await a.open("a");
      await broker.server().kill();
      await a.close();
      assertEquals(a.states(["a"]), ["closed"]);
      await broker.server().start();
      await until(
        async () => !await b.sessions.streams.has("a"),
        "the closed node to be gone",
        PATIENCE_MS,
      );
    }));
}

async function withNodes(
  broker: Broker,
  count: number,
  run: (nodes: NodeActions[]) => Promise<void>,
): Promise<void> {
  const name = crypto.randomUUID();
  const nodes = Array.from(
    { length: count },
    () => new NodeActions(broker.create, () => {}),
  );
  try {
    await Promise.all(nodes.map((node) => node.join(name, OPTIONS)));
    await run(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
}

/** Waits until nodes know each other. */
async function meet(nodes: readonly NodeActions[]): Promise<void> {
  await until(
    () => nodes.every((node) => node.nodes().length === nodes.length),
    `${nodes.length} nodes that know each other`,
    PATIENCE_MS,
  );
}
